"""Folders: a saved Hugging Face data set, shards of one table, vectors beside their table, or documents."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from codomain.core import UserError
from codomain.space.checks import list_rows
from codomain.space.reading.shards import join_files, join_tables
from codomain.space.reading.tables import Held, read_arrow

_TABLES = (".parquet", ".arrow", ".feather", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")
_ARRAYS = (".npy", ".npz", ".safetensors", ".fvecs")
_MOST_JSON = 2**26  # bytes of a description
_TEXTS = (".txt", ".md", ".markdown", ".rst")


def read_folder(path: Path, vector: str | None, read_file: Callable[[Path, str | None], Held]) -> Held:
    """Read a folder of what `read_file` reads one by one."""
    if (path / "HEAD").is_file() and (path / "manifests").is_dir():
        raise UserError(f"{path} is a space already.", todo=f"codomain.open({str(path)!r}), or codomain study {path}")
    if (path / "dataset_dict.json").is_file():
        splits = _json(path / "dataset_dict.json").get("splits")
        if not (isinstance(splits, list) and splits and all(isinstance(name, str) for name in splits)):
            raise UserError(f"{path / 'dataset_dict.json'} names no splits.", needed='{"splits": ["train", ...]}')
        chosen = "train" if "train" in splits else splits[0]
        held = _hugging_face(path / chosen)
        others = [f"{path / name}" for name in splits if name != chosen]
        held.notes.append(f"split: '{chosen}'" + (f"; another: {', '.join(others)}" if others else ""))
        return held
    if (path / "state.json").is_file():
        return _hugging_face(path)
    files = sorted(p for p in path.rglob("*") if p.is_file() and not _is_hidden(p.relative_to(path)))
    kinds = {s: [p for p in files if p.suffix.lower() == s] for s in (*_TABLES, *_ARRAYS, *_TEXTS)}
    tables = [s for s in _TABLES if kinds[s]]
    if len(tables) > 1 and ".json" in tables:  # settings more often than rows
        tables.remove(".json")
    arrays = [s for s in _ARRAYS if kinds[s]]
    if len(tables) > 1 or len(arrays) > 1:
        found = ", ".join(f"{len(kinds[s])} {s}" for s in (*tables, *arrays))
        raise UserError(
            f"{path} holds {found}.", needed="files of one kind", todo="give the one file, or move the rest"
        )
    texts = [p for s in _TEXTS for p in kinds[s]]
    if not tables and not arrays:
        return _documents(path, texts)
    groups = [kinds[kind[0]] for kind in (tables, arrays) if kind]
    held, *beside = [join_files([read_file(p, vector) for p in group], group) for group in groups]
    for other in beside:  # vectors beside their table, in the same order
        held.vectors = other.vectors
        held.notes += [*other.notes, f"vectors: {groups[1][0].name}, in the order of the rows"]
    if texts:
        held.notes.append(f"{len(texts)} text files beside {groups[0][0].name} are left out")
    return held


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _hugging_face(path: Path) -> Held:
    """Read what `datasets` saved: Arrow files that state.json lists, class names in dataset_info.json."""
    listed: Any = _json(path / "state.json").get("_data_files")
    try:
        names = [str(entry["filename"]) for entry in listed]
    except (TypeError, KeyError):
        names = []
    if not names or not all(Path(name).name for name in names):
        raise UserError(f"{path / 'state.json'} lists no data files.", needed='{"_data_files": [{"filename": ...}]}')
    files = [path / Path(name).name for name in names]  # within this folder, whatever the list says
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise UserError(
            f"{path} lacks {len(missing)} of its data files: {', '.join(missing[:5])}.", needed="all of them"
        )
    table = join_tables(path, [read_arrow(file).table for file in files])
    info = _json(path / "dataset_info.json") if (path / "dataset_info.json").is_file() else {}
    features, notes = info.get("features"), []
    for name, feature in features.items() if isinstance(features, dict) else ():
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and name in table.column_names:
            named = name_classes(path, name, table[name], feature.get("names"))
            table = table.set_column(table.column_names.index(name), name, named)
            notes.append(f"'{name}': class numbers are replaced by their names")
    return Held(table, notes=notes)


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UserError(f"{path} is not there, or no file.", needed="the file as it was saved")
    if path.stat().st_size > _MOST_JSON:
        raise UserError(f"{path} has {path.stat().st_size:,} bytes.", needed=f"at most {_MOST_JSON:,}")
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}.", needed="the file as it was saved") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} holds {type(value).__name__}, no JSON object.", needed="the file as it was saved")
    return value


def name_classes(path: Path, name: str, column: Any, names: Any) -> pa.Array:
    """Return the names of class numbers; a number below 0 stands for none."""
    if not (isinstance(names, list) and all(isinstance(one, str) for one in names)):
        raise UserError(f"{path / 'dataset_info.json'} gives no names for the classes of {name!r}.", needed="a list")
    if not pa.types.is_integer(column.type):
        raise UserError(f"{path}: the classes of {name!r} are of type {column.type}.", needed="whole numbers")
    codes = column.to_pylist()
    beyond = [row for row, code in enumerate(codes) if code is not None and code >= len(names)]
    if beyond:
        raise UserError(
            f"{path}: {list_rows(beyond)}: class {codes[beyond[0]]} in {name!r}, and there are {len(names)} names.",
            needed=f"classes from 0 to {len(names) - 1}",
        )
    return pa.array([None if code is None or code < 0 else names[code] for code in codes], pa.string())


def _documents(path: Path, files: list[Path]) -> Held:
    if not files:
        raise UserError(
            f"{path} holds no file that can be read.",
            needed=f"files ending in {', '.join((*_TABLES, *_ARRAYS, *_TEXTS[:2]))}",
        )
    files, bad, texts = sorted(files), [], []
    for file in files:
        try:
            texts.append(file.read_text("utf-8-sig"))
        except UnicodeDecodeError as error:
            bad.append(f"{file.relative_to(path)} (byte {error.start:,})")
    if bad:
        which = list_rows(bad).split(" ", 1)[1]
        raise UserError(f"{path}: {len(bad)} files are not UTF-8 text: {which}.", needed="UTF-8", todo="iconv, or move")
    names = [file.relative_to(path).as_posix() for file in files]
    return Held(pa.table({"file": names, "text": texts}), notes=[f"{len(files)} documents, one row each"])
