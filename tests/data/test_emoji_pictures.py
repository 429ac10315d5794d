"""Emoji: pictures written here with every filter, packages of two pictures, and the real ones where they are."""

import json
import struct
import zlib

import numpy as np
import pytest

from codomain.core import UserError, needs
from codomain.data import emoji as read
from codomain.data.emoji_pictures import VENDORS, VERSION, identity, read_png
from codomain.data.identity import ABSENT


def paeth(a, b, c):
    near = [abs(a + b - c - each) for each in (a, b, c)]
    return (a, b, c)[near.index(min(near))]


def put_png(path, lines, step, kind, bits=8, more=b"", filters=(0, 1, 2, 3, 4), side=64):
    """Write lines of bytes, filtered as the standard says, one byte after another."""
    body = bytearray()
    above = [0] * len(lines[0])
    for number, line in enumerate(lines.tolist()):
        chosen = filters[number % len(filters)]
        body.append(chosen)
        for place, value in enumerate(line):
            a, c = (row[place - step] if place >= step else 0 for row in (line, above))
            b = above[place]
            body.append((value - (0, a, b, (a + b) // 2, paeth(a, b, c))[chosen]) % 256)
        above = line
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + b"\0\0\0\0"  # noqa: E731
    packed = zlib.compress(bytes(body))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, bits, kind, 0, 0, 0)) + more
        + chunk(b"IDAT", packed[:50]) + chunk(b"IDAT", packed[50:]) + chunk(b"IEND", b"")
    )  # fmt: skip


def test_colours_come_back_through_every_filter(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 4), dtype=np.uint8)
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for number, (path, picture) in enumerate(zip(files, pictures, strict=True)):
        put_png(path, picture.reshape(64, -1), 4, 6, filters=[(0, 1, 2, 3, 4), (4,), (3, 1)][number])
    np.testing.assert_array_equal(read_png(files), pictures)


def test_greys_and_palettes_become_colours_and_the_order_stays(tmp_path):
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (64, 64, 2), dtype=np.uint8)
    places = rng.integers(0, 3, (64, 64), dtype=np.uint8)
    colours = np.array([[1, 2, 3, 9], [4, 5, 6, 255], [7, 8, 9, 255]], np.uint8)
    parts = [(b"PLTE", colours[:, :3].tobytes()), (b"tRNS", b"\x09")]
    more = b"".join(struct.pack(">I", len(data)) + name + data + b"\0\0\0\0" for name, data in parts)
    files = [tmp_path / f"{name}.png" for name in ("four", "grey", "eight")]
    put_png(files[0], places[:, ::2] << 4 | places[:, 1::2], 1, 3, bits=4, more=more)
    put_png(files[1], grey.reshape(64, -1), 2, 4)
    put_png(files[2], places, 1, 3, more=more)
    four, gray, eight = read_png(files)
    np.testing.assert_array_equal(four, colours[places])
    np.testing.assert_array_equal(eight, colours[places])
    np.testing.assert_array_equal(gray, grey[..., [0, 0, 0, 1]])


def test_another_form_is_refused_by_name(tmp_path):
    put_png(tmp_path / "large.png", np.zeros((64, 256), np.uint8), 4, 6, side=128)
    (tmp_path / "text.png").write_text("not a picture")
    for name in ("large", "text"):
        with pytest.raises(UserError, match=rf"{name}\.png is not a picture that can be read"):
            read_png([tmp_path / f"{name}.png"])


@pytest.fixture
def modules(tmp_path):
    names = ("GRINNING FACE", "DOG FACE", "one vendor's")
    rows = [
        {"unified": f"{n}F", "name": name, "category": "c", "subcategory": f"s{n}", "image": f"{n}f.png"}
        for n, name in enumerate(names)
    ]
    for shade, vendor in enumerate(VENDORS):
        package = tmp_path / "node_modules" / f"emoji-datasource-{vendor}"
        (package / "img" / vendor / "64").mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"version": VERSION}))
        (package / "emoji.json").write_text(json.dumps(rows))
        for n in range(3 - shade):
            put_png(package / "img" / vendor / "64" / f"{n}f.png", np.full((64, 256), 10 * n + shade, np.uint8), 4, 6)
    return tmp_path / "node_modules"


def test_both_vendors_give_the_same_emoji_in_the_same_order(modules):
    for shade, vendor in enumerate(VENDORS):
        pictures, table = read(vendor, modules)
        assert pictures[:, 0, 0].tolist() == [[shade] * 4, [10 + shade] * 4]
        assert table.to_pydict() == {
            "code": ["0F", "1F"], "name": ["grinning face", "dog face"], "category": ["c", "c"],
            "subcategory": ["s0", "s1"],
        }  # fmt: skip


def test_what_is_missing_or_of_another_version_is_said_with_what_to_type(modules):
    held = identity(modules)
    with pytest.raises(UserError, match="'google' or 'twitter'"):
        read("apple", modules)
    path = modules / "emoji-datasource-twitter/package.json"
    path.write_text(json.dumps({"version": "15.0.0"}))
    with pytest.raises(UserError, match=r"has version 15\.0\.0 of emoji-datasource-twitter(.|\n)*npm install --prefix"):
        read("google", modules)
    assert identity(modules) == ABSENT != held
    path.unlink()
    with pytest.raises(UserError, match="has no copy of emoji-datasource-twitter"):
        read("google", modules)


@pytest.mark.skipif(
    bool(needs.missing([f"emoji-datasource-{vendor}" for vendor in VENDORS])), reason="the emoji are not installed"
)
def test_the_real_emoji_are_the_same_two_thousand_and_drawn_in_two_ways():
    (google, table), (twitter, other) = (read(vendor) for vendor in VENDORS)
    assert table == other and google.shape == twitter.shape == (1911, 64, 64, 4)
    assert (google != twitter).any(axis=(1, 2, 3)).all()
    assert len(set(table["category"].to_pylist())) == 10
