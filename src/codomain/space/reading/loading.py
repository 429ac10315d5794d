"""Loading one file or folder, whatever kind it is; a broken one is a UserError and never anything else."""

from collections.abc import Callable
from pathlib import Path

from codomain.core import UserError
from codomain.space.checks import nearest
from codomain.space.reading import arrays
from codomain.space.reading.folders import read_folder
from codomain.space.reading.objects import read_json
from codomain.space.reading.separated import read_csv
from codomain.space.reading.tables import Held, read_arrow, read_parquet
from codomain.space.reading.text import read_lines

_TABLES: dict[str, Callable[[Path], Held]] = {
    ".csv": read_csv, ".tsv": read_csv, ".json": read_json, ".jsonl": read_json, ".ndjson": read_json,
    ".parquet": read_parquet, ".arrow": read_arrow, ".feather": read_arrow, ".txt": read_lines,
}  # fmt: skip
_ARRAYS: dict[str, Callable[[Path, str | None], Held]] = {
    ".npy": arrays.read_npy, ".npz": arrays.read_npz, ".safetensors": arrays.read_safetensors,
    ".fvecs": arrays.read_fvecs,
}  # fmt: skip
_MAGIC = {b"PAR1": ".parquet", b"ARROW1": ".arrow", b"\x93NUMPY": ".npy", b"PK\x03\x04": ".npz"}
_REFUSED = {
    ".pkl": "a pickle runs code when it is read", ".pickle": "a pickle runs code when it is read",
    ".joblib": "a joblib file runs code when it is read", ".pt": "a torch file may run code when it is read",
    ".pth": "a torch file may run code when it is read", ".h5": "HDF5 is not read", ".hdf5": "HDF5 is not read",
    ".xlsx": "a workbook is not read", ".xls": "a workbook is not read", ".faiss": "an index is not rows",
}  # fmt: skip


def load(path: Path, vector: str | None = None) -> Held:
    """Read a file or a folder as it is, before anything is guessed or checked.

    Parameters
    ----------
    path : Path
        Of any kind that `read` takes.
    vector : str, optional
        The array within a file of several.

    Returns
    -------
    Held
        A table, vectors, or both.

    Raises
    ------
    UserError
        When it is not there, of no kind that is read, or broken.
    """
    if not path.exists():
        near = nearest(path.name, (p.name for p in path.parent.iterdir())) if path.parent.is_dir() else ""
        link = f" (it is a link to {path.readlink()}, which is not there)" if path.is_symlink() else near
        raise UserError(f"{path} does not exist{link}.", needed="a file or a folder")
    try:
        if path.is_dir():
            return read_folder(path, vector, load)
        return _load_file(path, vector)
    except (UserError, PermissionError):
        raise
    except Exception as error:  # on a broken file a parser may raise anything, numpy's even a TokenError
        raise UserError(
            f"{path} cannot be read{_as_what(path)}: {str(error) or type(error).__name__}",
            todo=f"look at what it is: file {path}",
        ) from error


def _as_what(path: Path) -> str:
    return " as a folder of data" if path.is_dir() else f" as {_suffix(path)}"


def _suffix(path: Path) -> str:
    """Return what a file is, by its first bytes where they tell, else by its name."""
    suffix = next((s for s in reversed(path.suffixes) if s not in (".gz", ".bz2", ".zst")), "").lower()
    with path.open("rb") as file:
        start = file.read(8)
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic) and suffix != ".xlsx"), suffix)


def _load_file(path: Path, vector: str | None) -> Held:
    if not path.is_file():  # opening a pipe would wait for somebody to write into it
        raise UserError(
            f"{path} is a pipe, socket or device.", needed="a file", todo=f"save it first: cat {path} > FILE"
        )
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty: it has 0 bytes.", needed="at least one row")
    suffix = _suffix(path)
    if suffix in _REFUSED:
        raise UserError(f"{path}: {_REFUSED[suffix]}.", needed="csv, parquet, jsonl, npy or safetensors")
    if suffix in _ARRAYS:
        return _ARRAYS[suffix](path, vector)
    if suffix in _TABLES:
        return _TABLES[suffix](path)
    raise UserError(
        f"{path} ends in {path.suffix!r}, which is not read.", needed=f"one of {', '.join([*_TABLES, *_ARRAYS])}"
    )
