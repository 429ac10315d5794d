"""Damage to a file or folder, drawn by a seed: bytes, JSON of another type, and things that are no files."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ODD = [
    None,
    True,
    -1,
    0,
    2**70,
    1.5,
    -1e308,
    "",
    "x",
    "../../x",
    "\x00",
    "\ud800",
    [],
    [[]],
    {},
    {"a": []},
    [None] * 9,
]


def _flip(data: bytearray, draw: random.Random) -> bytearray:
    for _ in range(draw.choice((1, 2, 8, 64))):
        # Every other flip falls into the first 400 bytes, where headers are.
        at = draw.randrange(min(len(data), 400) if draw.random() < 0.5 else len(data))
        data[at] ^= 1 << draw.randrange(8)
    return data


def _cut(data: bytearray, draw: random.Random) -> bytearray:
    first, last = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    return draw.choice((data[:first], data[first:], data[:first] + data[last:]))


def _splice(data: bytearray, draw: random.Random) -> bytearray:
    at, words = draw.randrange(len(data) + 1), [b"\x00", b'"', b"\n", b"\r", b",", b"{", b"[" * 5000, b"]", b"\xff\xfe",
                                                b"-1", b"9" * 400, b"NaN", b"1e999", draw.randbytes(16)]  # fmt: skip
    return data[:at] + draw.choice(words) + data[at:]


def _repeat(data: bytearray, draw: random.Random) -> bytearray:
    first, last = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    return data[:last] + data[first:last] * draw.choice((1, 3, 50)) + data[last:]


def _number(data: bytearray, draw: random.Random) -> bytearray:
    """Overwrite a word that may be a length or an offset."""
    size = draw.choice((2, 4, 8))
    at = draw.randrange(max(1, len(data) - size))
    value = draw.choice((0, 1, 2**15, 2**31 - 1, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)) % 2 ** (8 * size)
    data[at : at + size] = value.to_bytes(size, "little")
    return data


_BYTES: list[Callable[[bytearray, random.Random], bytearray]] = [_flip, _cut, _splice, _repeat, _number]


def _confuse(value: Any, draw: random.Random) -> Any:
    """Replace, remove or repeat one node of a JSON value."""
    if isinstance(value, dict | list) and value and draw.random() < 0.8:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = draw.choice(keys)
        if draw.random() < 0.15:
            del value[key]
        else:
            value[key] = _confuse(value[key], draw)
        return value
    deep: Any = "x"
    for _ in range(draw.choice((5, 900)) if draw.random() < 0.1 else 0):
        deep = [deep]
    return deep if deep != "x" else draw.choice(_ODD)


def _no_file(path: Path, draw: random.Random) -> None:
    """Put something where the file was that is none."""
    path.unlink()
    kind = draw.randrange(6)
    if kind == 0:
        os.mkfifo(path)
    elif kind == 1:
        path.mkdir()
    elif kind == 2:
        path.symlink_to(path.name)
    elif kind == 3:
        path.symlink_to("nowhere")
    elif kind == 4:
        path.symlink_to(os.devnull)
    else:
        path.touch()


def damage(target: Path, seed: int) -> None:
    """Damage a file, or one file of a folder, in the one way that the seed stands for."""
    draw = random.Random(seed)
    files = sorted(p for p in target.rglob("*") if p.is_file() and not p.is_symlink()) if target.is_dir() else [target]
    path = draw.choice(files)
    way = draw.random()
    if way < 0.05:
        _no_file(path, draw)
    elif way < 0.08 and target.is_dir():
        path.unlink()
    elif way < 0.1 and len(files) > 1:
        path.write_bytes(draw.choice([other for other in files if other != path]).read_bytes())
    elif way < 0.7 and (confused := _other_types(path, draw)) is not None:
        path.write_bytes(confused)
    else:
        data = bytearray(path.read_bytes())
        for _ in range(draw.choice((1, 1, 2))):
            data = draw.choice(_BYTES)(data or bytearray(b"\0"), draw)
        path.write_bytes(data)


def _other_types(path: Path, draw: random.Random) -> bytes | None:
    """Return the file with another type somewhere, when it is JSON."""
    text = path.read_bytes()
    try:
        if path.suffix in (".jsonl", ".ndjson"):
            lines: list[Any] = [json.loads(line) for line in text.splitlines()]
            at = draw.randrange(len(lines))
            lines[at] = _confuse(lines[at], draw)
            return "\n".join(map(json.dumps, lines)).encode()
        return json.dumps(_confuse(json.loads(text), draw)).encode() if path.suffix == ".json" else None
    except ValueError:
        return None
