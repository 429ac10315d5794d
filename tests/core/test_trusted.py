"""The list of servers that a person has named, and the keys that are meant for them."""

import stat
from contextlib import nullcontext

import pytest

from codomain.core import DamagedError, Trusted, UserError, server_address
from codomain.core.trusted import place


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("CODOMAIN_API_KEY", raising=False)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("openai:https://Host.example/v1#model?rpm=3", "https://host.example/v1"),
        ("http://127.0.0.1:8000/v1/?batch=2#m", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:80/", "http://[::1]:80"),
        ("http://h/v1;rm -rf ~\x1b[2J", "http://h/v1%3Brm%20-rf%20~%1B[2J"),
    ],
)
def test_an_address_is_trusted_without_its_model_and_options(url, address):
    assert server_address(url) == address == server_address(address)


@pytest.mark.parametrize("url", ["", "host/v1", "ftp://host/v1", "http://", "http://h:port/", "openai:"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UserError, match="address"):
        server_address(url)


def test_a_server_is_trusted_from_its_naming_to_its_removal_and_no_other_is():
    assert Trusted().servers == [] and "http://h/v1" not in Trusted()
    Trusted().add("openai:http://h/v1#m", key=True)
    assert "http://h/v1#other" in Trusted() and Trusted().servers == ["http://h/v1"]
    for other in ("http://h/v2", "https://h/v1", "http://h:81/v1", "http://h.evil/v1", "http://127.0.0.1/v1"):
        assert other not in Trusted()
    Trusted().remove("http://h/v1")
    assert Trusted().servers == []
    with pytest.raises(UserError, match="not trusted"):
        Trusted().remove("http://h/v1")


def test_a_key_is_given_to_the_server_that_it_was_meant_for_and_is_not_kept(monkeypatch):
    monkeypatch.setenv("CODOMAIN_API_KEY", "sk-one")
    Trusted().add("http://one/v1", key=True)
    Trusted().add("http://two/v1", key=False)
    assert Trusted().key_for("http://one/v1") == "sk-one" and Trusted().key_for("http://two/v1") == ""
    assert Trusted().key_is_of_another("http://two/v1") == "http://one/v1"
    assert Trusted().key_is_of_another("http://one/v1") == ""
    monkeypatch.setenv("CODOMAIN_API_KEY", "sk-two")
    assert Trusted().key_for("http://one/v1") == "" and Trusted().key_is_of_another("http://two/v1") == ""
    assert "sk-" not in place().read_text() and stat.S_IMODE(place().stat().st_mode) == 0o600


def test_the_folder_of_a_model_is_trusted_whichever_way_it_is_written_and_no_other_is(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    for uri in ("onnx:model", "st:/", "model2vec:model?long=mean"):
        assert uri not in Trusted()
    Trusted().add("http://h/v1", key=False)
    Trusted().add_folder("onnx:model?long=mean")
    for uri in (f"onnx:{tmp_path}/model", f"st:{tmp_path}/model/", "onnx:link?long=cut", "model2vec:./x/../model"):
        assert uri in Trusted()
    for uri in ("onnx:", "onnx:model/inside", "st:..", "st:~", "st:model?long=mean", "st:model2"):
        with pytest.raises(UserError) if uri == "onnx:" else nullcontext():
            assert uri not in Trusted()
    assert Trusted().folders == [str(tmp_path / "model")] and Trusted().servers == ["http://h/v1"]
    Trusted().remove("st:model")
    assert Trusted().folders == [] and Trusted().servers == ["http://h/v1"]
    with pytest.raises(UserError, match=r"(?s)model is not trusted.*http://h/v1"):
        Trusted().remove("st:model")


def test_a_list_from_before_folders_is_read():
    place().parent.mkdir()
    place().write_text('{"salt": "00", "servers": {"http://h/v1": ""}}')
    assert Trusted().servers == ["http://h/v1"] and Trusted().folders == []


@pytest.mark.parametrize("data", ["", "[]", "{", '{"salt": "00"}', '{"salt": "00", "servers": 3}',
                                  '{"salt": "00", "servers": {}, "folders": 3}'])  # fmt: skip
def test_a_damaged_list_is_refused_and_not_taken_for_an_empty_one(data):
    place().parent.mkdir()
    place().write_text(data)
    with pytest.raises(DamagedError, match="damaged"):
        Trusted()
