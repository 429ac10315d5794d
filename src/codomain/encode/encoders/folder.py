"""What the encoders that live in a folder share: finding files, hashing them, naming the model."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from codomain.core import UserError
from codomain.core.sealed import seal_of


def model_folder(path: str, files: Sequence[str] = ()) -> Path:
    """Return the folder as an absolute path, or say what is missing: a hub's name is not a folder."""
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise UserError(
            f"{path!r} is not a folder on this machine, and models are never downloaded.",
            needed="the local path of a model's folder",
            todo="give a local path: fetch the model with the tool you trust, then name its folder",
        )
    if missing := [name for name in files if not (folder / name).is_file()]:
        raise UserError(f"{folder} lacks {', '.join(missing)}.", needed=f"a folder with {', '.join(files)}")
    return folder.resolve()


def read_json(path: Path, otherwise: Any) -> Any:
    """Read JSON; `otherwise` stands for a missing file and says whether an object or a list is wanted."""
    if not path.is_file():
        return otherwise
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}.", todo="copy the model's folder again") from None
    if not isinstance(found, type(otherwise)):
        raise UserError(f"{path} holds a {type(found).__name__}.", needed=f"a {type(otherwise).__name__}")
    return found


def prompts(config: dict[str, Any]) -> tuple[str, str]:
    """Return what a sentence-transformers model wants in front of a document and of a query."""
    known: dict[str, str] = config.get("prompts") or {}
    default = known.get(config.get("default_prompt_name") or "", "")
    row = next((known[name] for name in ("document", "passage", "corpus") if name in known), default)
    return row, known.get("query", default)


def model_name(config: dict[str, Any], otherwise: str) -> str:
    """Return what the model calls itself: two copies in two folders have one name."""
    given = str(config.get("_name_or_path") or "").rstrip("/").rpartition("/")[2]
    return given or str(config.get("model_type") or "") or otherwise


def hash_of(folder: Path, files: Iterable[Path]) -> str:
    """Return one hash over several files and their names."""
    lines = sorted(f"{seal_of(path).sha256}  {path.relative_to(folder).as_posix()}\n" for path in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def check_list(texts: Sequence[str]) -> None:
    """Refuse one text where a list belongs: its letters would be taken for texts."""
    if isinstance(texts, str | bytes):
        raise UserError(f"encode was given one text, {texts[:60]!r}.", needed="a list of texts",
                        todo=f"encode([{texts[:60]!r}])")  # fmt: skip


def plain(texts: Sequence[str], prefix: str = "") -> list[str]:
    """Return texts that every tokenizer takes: the prefix in front, half a surrogate pair replaced by '?'."""
    check_list(texts)
    return [(prefix + text).encode("utf-8", "replace").decode() for text in texts]
