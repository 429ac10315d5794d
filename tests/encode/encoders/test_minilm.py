"""The default encoder: what it must do whatever the machine."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from codomain.core import DamagedError
from codomain.encode import MiniLM, resolve
from codomain.encode.encoders.minilm import MODEL_SHA256, _installed


@pytest.fixture(scope="module")
def minilm():
    return resolve()


TEXTS = [
    "A cat sat on the mat.",
    "Return the absolute value of a number. " * 40,  # far longer than the tokens that are kept
    "",
    "\n\t  ",
    "日本語のテキスト",
    "emoji 🙂 and half a pair \ud800",
    "Open a file and return a stream.",
    "x",
    "naïve café",
    "[PAD] [PAD] [CLS]",
]


def test_what_it_says_of_itself_is_what_it_does(minilm):
    found = minilm.encode(TEXTS)
    assert found.shape == (len(TEXTS), minilm.identity.dim) and found.dtype == np.float32
    assert minilm.identity.sha256 == MODEL_SHA256 and minilm.identity.uri == "builtin:minilm"
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_related_texts_are_nearer_than_unrelated_ones(minilm):
    triples = [
        ("Send an e-mail message over SMTP.", "Deliver mail to a server.", "Compute the cosine of an angle."),
        ("Sort the list in place.", "Arrange items in ascending order.", "Close the socket connection."),
        ("Parse an XML document.", "Read a tree of elements from markup.", "Draw a circle with the turtle."),
        ("The kitten sleeps on the sofa.", "A cat is napping on the couch.", "Shares fell sharply on Monday."),
    ]
    for text, related, unrelated in triples:
        a, b, c = minilm.encode([text, related, unrelated])
        assert a @ b > a @ c + 0.1


def test_a_text_has_one_vector_whatever_its_batch_and_place(minilm):
    alone = np.vstack([minilm.encode([text]) for text in TEXTS])
    mixed = [text for pair in zip(TEXTS, ["filler " * n for n in range(0, 200, 20)], strict=True) for text in pair]
    np.testing.assert_allclose(minilm.encode(TEXTS * 30)[-len(TEXTS) :], alone, atol=1e-6)
    np.testing.assert_allclose(minilm.encode(mixed)[::2], alone, atol=1e-6)
    np.testing.assert_allclose(minilm.encode(TEXTS[::-1])[::-1], alone, atol=1e-6)


def test_a_query_is_encoded_as_a_row_is(minilm):
    np.testing.assert_array_equal(minilm.encode(["sort a list"], query=True), minilm.encode(["sort a list"]))


def test_no_text_gives_no_row(minilm):
    assert minilm.encode([]).shape == (0, 384)


def test_words_after_the_kept_tokens_change_nothing_and_words_before_do(minilm):
    start = "word " * 200
    a, b, c = minilm.encode([start, start + "penguin", "penguin " + start])
    np.testing.assert_allclose(a, b, atol=1e-6)
    assert np.abs(a - c).max() > 1e-3


@pytest.mark.parametrize("damage", ["a flipped bit", "cut short", "gone"])
def test_weights_that_are_not_the_pinned_ones_are_refused(tmp_path, damage):
    copy = tmp_path / "model.onnx"
    if damage != "gone":
        shutil.copyfile(_installed(), copy)
        content = bytearray(copy.read_bytes())
        content[11_000_003] ^= 1
        copy.write_bytes(content if damage == "a flipped bit" else content[:1000])
    with pytest.raises(DamagedError, match=r"model\.onnx[\s\S]*pip install"):
        MiniLM(copy)


def test_a_damaged_tokenizer_is_refused(tmp_path, monkeypatch):
    from codomain.encode.encoders import minilm as module

    package = Path(module.__file__).parent
    shutil.copytree(package / "minilm", tmp_path / "minilm")
    tokenizer = tmp_path / "minilm" / "tokenizer.json"
    tokenizer.write_bytes(tokenizer.read_bytes().replace(b'"the"', b'"tha"', 1))
    monkeypatch.setattr(module, "__file__", str(tmp_path / "minilm.py"))
    with pytest.raises(DamagedError, match=r"tokenizer\.json"):
        MiniLM()


def test_the_notice_beside_the_tokenizer_names_its_licence_and_its_hash():
    from codomain.encode.encoders import minilm as module

    notice = (Path(module.__file__).parent / "minilm" / "NOTICE").read_text("utf-8")
    assert "Apache" in notice and module.TOKENIZER_SHA256 in notice
