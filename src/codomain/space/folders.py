"""Folders: a saved Hugging Face data set, shards of one table, vectors beside their table, or documents."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from codomain.core import UserError
from codomain.space.arrays import no_columns
from codomain.space.checks import some
from codomain.space.intake import as_table
from codomain.space.tables import Held, read_arrow

_TABLES = (".parquet", ".arrow", ".feather", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")
_ARRAYS = (".npy", ".npz", ".safetensors", ".fvecs")
_TEXTS = (".txt", ".md", ".markdown", ".rst")


def read_folder(path: Path, vector: str | None, read_file: Callable[[Path, str | None], Held]) -> Held:
    """Read a folder of what `read_file` reads one by one."""
    if (path / "HEAD").is_file() and (path / "manifests").is_dir():
        raise UserError(f"{path} is a space already.", todo=f"codomain.open({str(path)!r}), or codomain study {path}")
    if (path / "dataset_dict.json").is_file():
        splits = json.loads((path / "dataset_dict.json").read_text())["splits"]
        chosen = "train" if "train" in splits else splits[0]
        held = _hugging_face(path / chosen)
        others = [f"{path / name}" for name in splits if name != chosen]
        held.notes.append(f"split: '{chosen}'" + (f"; another: {', '.join(others)}" if others else ""))
        return held
    if (path / "state.json").is_file():
        return _hugging_face(path)
    files = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p.relative_to(path)))
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
    held, *beside = [_shards([read_file(p, vector) for p in group], group) for group in groups]
    for other in beside:  # vectors beside their table, in the same order
        held.vectors = other.vectors
        held.notes += [*other.notes, f"vectors: {groups[1][0].name}, in the order of the rows"]
    if texts:
        held.notes.append(f"{len(texts)} text files beside {groups[0][0].name} are left out")
    return held


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _shards(held: list[Held], paths: list[Path]) -> Held:
    if len(held) == 1:
        return held[0]
    notes = [f"{len(paths)} files are taken as one table, by name from {paths[0].name} to {paths[-1].name}"]
    arrays = [one.vectors for one in held if one.vectors is not None]
    widths = sorted({array.shape[1:] for array in arrays})
    if len(widths) > 1:
        raise UserError(f"{paths[0].parent}: its arrays have rows of shapes {widths}.", needed="rows of one width")
    vectors = np.concatenate(arrays) if arrays else None
    tables = [as_table(one.table, one.table.num_rows) for one in held]
    if not any(table.num_columns for table in tables):
        return Held(no_columns(sum(table.num_rows for table in tables)), vectors, notes)
    try:
        return Held(pa.concat_tables(tables, promote_options="permissive"), vectors, notes)
    except pa.ArrowException as error:
        raise UserError(
            f"{paths[0].parent}: its files do not make one table: {error}", needed="one set of columns"
        ) from error


def _hugging_face(path: Path) -> Held:
    try:
        names = [entry["filename"] for entry in json.loads((path / "state.json").read_text())["_data_files"]]
        info = json.loads((path / "dataset_info.json").read_text()) if (path / "dataset_info.json").exists() else {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a saved data set that can be read: {error!r}") from error
    table = pa.concat_tables([read_arrow(path / Path(name).name).table for name in names])
    notes = []
    for name, feature in (info.get("features") or {}).items():
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, _named(table[name], feature["names"]))
            notes.append(f"'{name}': class numbers are replaced by their names")
    return Held(table, notes=notes)


def _named(column: Any, names: list[str]) -> pa.Array:
    known = [None if code is None or code < 0 else names[code] for code in column.to_pylist()]
    return pa.array(known, pa.string())


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
        which = some(bad).split(" ", 1)[1]
        raise UserError(f"{path}: {len(bad)} files are not UTF-8 text: {which}.", needed="UTF-8", todo="iconv, or move")
    names = [file.relative_to(path).as_posix() for file in files]
    return Held(pa.table({"file": names, "text": texts}), notes=[f"{len(files)} documents, one row each"])
