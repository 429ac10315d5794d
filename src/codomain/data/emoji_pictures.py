"""Emoji as two vendors draw them, from packages of npm."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.core.needs import cache_folder
from codomain.data.identity import ABSENT, hash_files

VENDORS = ("google", "twitter")
VERSION = "16.0.0"
SIDE = 64
_CHANNELS = {3: 1, 4: 2, 6: 4}  # kinds of PNG: palette, grey and alpha, colour and alpha


def emoji(vendor: str = "google", folder: str | Path | None = None) -> tuple[NDArray[np.uint8], pa.Table]:
    """Return pictures of emoji and what they are called: those that both vendors draw, in the same order.

    Parameters
    ----------
    vendor : {"google", "twitter"}, default="google"
        Whose drawings.
    folder : str or Path, default=None
        The node_modules that holds both packages. None takes npm/node_modules in the user's cache (~/.cache/codomain).

    Returns
    -------
    pictures : ndarray of uint8, shape (n, 64, 64, 4)
        Red, green, blue and alpha, from 0 to 255.
    table : pyarrow.Table
        Columns `code` (as in 1F600), `name` (lower case), `category` and `subcategory`, n rows.

    Raises
    ------
    UserError
        When the vendor has another name, a package is missing or is not version 16.0.0, or a picture is of another
        form.
    """
    if vendor not in VENDORS:
        raise UserError(f"vendor={vendor!r} cannot be used.", needed="'google' or 'twitter'")
    rows = _rows(_folder(folder))
    files = [_package(_folder(folder), vendor) / "img" / vendor / "64" / row["image"] for row in rows]
    columns = {"code": "unified", "name": "name", "category": "category", "subcategory": "subcategory"}
    table = pa.table({column: [row[key] for row in rows] for column, key in columns.items()})
    names = pa.array([row["name"].lower() for row in rows])
    return read_png(files), table.set_column(1, "name", names)


def identity(folder: str | Path | None = None) -> str:
    """Return a hash of what both packages list, 16 hex digits, or "absent"; their version fixes the pictures."""
    try:
        found = [_package(_folder(folder), vendor) for vendor in VENDORS]
    except UserError:
        return ABSENT
    return hash_files(*(package / name for package in found for name in ("package.json", "emoji.json")))


def _folder(folder: str | Path | None) -> Path:
    """Return the node_modules that is read."""
    return cache_folder() / "npm/node_modules" if folder is None else Path(folder)


def _package(folder: Path, vendor: str) -> Path:
    """Return the folder of a vendor's package of the right version."""
    path = folder / f"emoji-datasource-{vendor}"
    held = path / "package.json"
    version = json.loads(held.read_text("utf-8")).get("version") if held.is_file() else None
    if version != VERSION:
        names = " ".join(f"emoji-datasource-{name}@{VERSION}" for name in VENDORS)
        raise UserError(
            f"{folder} has {f'version {version}' if version else 'no copy'} of emoji-datasource-{vendor}.",
            needed=f"version {VERSION}",
            todo=f"npm install --prefix {folder.parent.absolute()} {names}",
        )
    return path


def _rows(folder: Path) -> list[dict[str, Any]]:
    """Return what the first vendor's package lists, of emoji that both vendors draw."""
    listed = json.loads((_package(folder, VENDORS[0]) / "emoji.json").read_text("utf-8"))
    pictures = [_package(folder, vendor) / "img" / vendor / "64" for vendor in VENDORS]
    return [row for row in listed if all((place / row["image"]).is_file() for place in pictures)]


def read_png(files: list[Path]) -> NDArray[np.uint8]:
    """Read small pictures of one size, all at once: each step is one column of pixels of all of them.

    Parameters
    ----------
    files : list of Path
        PNG files, 64 x 64, not interlaced; with a palette, or 8 bits and an alpha channel.

    Returns
    -------
    ndarray of uint8, shape (n_files, 64, 64, 4)
        Red, green, blue and alpha.

    Raises
    ------
    UserError
        When a file is not of this form.
    """
    chunks = [_chunks(path) for path in files]
    kinds = np.array([tuple(one["IHDR"][8:10]) for one in chunks], np.uint8).reshape(-1, 2)
    out = np.empty((len(files), SIDE, SIDE, 4), np.uint8)
    for bits, kind in np.unique(kinds, axis=0).tolist():
        rows = np.flatnonzero((kinds == (bits, kind)).all(axis=1))
        n_bytes = SIDE * _CHANNELS[kind] * bits // 8
        lines = np.stack([np.frombuffer(zlib.decompress(chunks[row]["IDAT"]), np.uint8) for row in rows])
        values = _unfilter(lines.reshape(len(rows), SIDE, 1 + n_bytes), _CHANNELS[kind])
        if kind == 6:
            out[rows] = values.reshape(-1, SIDE, SIDE, 4)
        elif kind == 4:
            out[rows] = values.reshape(-1, SIDE, SIDE, 2)[..., [0, 0, 0, 1]]
        else:
            places = np.unpackbits(values, axis=-1).reshape(-1, SIDE, SIDE, bits)
            places = places @ (1 << np.arange(bits)[::-1])
            out[rows] = np.stack([_palette(chunks[row])[place] for row, place in zip(rows, places, strict=True)])
    return out


def _chunks(path: Path) -> dict[str, bytes]:
    """Return the parts of a PNG file by name, those of one name joined."""
    data = path.read_bytes()
    found: dict[str, bytes] = {}
    place = 8
    while place < len(data):
        size = int.from_bytes(data[place : place + 4])
        name = data[place + 4 : place + 8].decode("latin-1")
        found[name] = found.get(name, b"") + data[place + 8 : place + 8 + size]
        place += 12 + size
    head = found.get("IHDR", b"")
    square = head[:8] == SIDE.to_bytes(4) * 2 and head[12:] == b"\0"
    forms = {(8, 6), (8, 4), (8, 3), (4, 3), (2, 3), (1, 3)}
    if data[:8] != b"\x89PNG\r\n\x1a\n" or not square or tuple(head[8:10]) not in forms:
        raise UserError(
            f"{path} is not a picture that can be read.",
            needed="a PNG file of 64 x 64, not interlaced, with a palette or an alpha channel",
            todo="install the package that brings it again",
        )
    return found


def _palette(chunks: dict[str, bytes]) -> NDArray[np.uint8]:
    """Return the colours of a palette, with alpha, of shape (256, 4)."""
    colours = np.full((256, 4), 255, np.uint8)
    held = np.frombuffer(chunks["PLTE"], np.uint8).reshape(-1, 3)
    alpha = np.frombuffer(chunks.get("tRNS", b""), np.uint8)
    colours[: len(held), :3] = held
    colours[: len(alpha), 3] = alpha
    return colours


def _unfilter(lines: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Undo the filters of PNG: each line begins with the number of its filter.

    Parameters
    ----------
    lines : ndarray of shape (n, n_lines, 1 + n_bytes)
        Filtered bytes.
    step : int
        Bytes of a pixel, at least 1.

    Returns
    -------
    ndarray of uint8, shape (n, n_lines, n_bytes)
        Bytes as they were.
    """
    n, n_lines, width = lines.shape
    kinds = lines[..., 0].T[..., None].astype(np.intp)
    pixels = lines[..., 1:].reshape(n, n_lines, (width - 1) // step, step).astype(np.int16)
    pixels = np.ascontiguousarray(pixels.transpose(1, 2, 0, 3))  # one pixel of all pictures lies together
    out = np.zeros((n_lines + 1, len(pixels[0]) + 1, n, step), np.int16)  # zeros above the first line and before it
    for line in range(n_lines):
        for place in range(len(pixels[0])):
            left, up, corner = out[line + 1, place], out[line, place + 1], out[line, place]
            a, b, c = (np.abs(value) for value in (up - corner, left - corner, left + up - 2 * corner))
            nearest = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
            guess = np.choose(kinds[line], [np.zeros_like(left), left, up, (left + up) // 2, nearest])
            out[line + 1, place + 1] = (pixels[line, place] + guess) & 255
    return out[1:, 1:].transpose(2, 0, 1, 3).reshape(n, n_lines, width - 1).astype(np.uint8)
