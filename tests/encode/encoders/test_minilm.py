"""The default encoder: what it must do whatever the machine."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codomain.core import DamagedError, EncoderMismatch
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


def test_a_text_is_read_up_to_the_256_tokens_of_the_models_own_configuration():
    """Where it is cut, words before the 255th token (two are special) change the vector and later ones do not."""
    cut = resolve("builtin:minilm?long=cut")
    a, b, c = cut.encode(["word " * 254, "word " * 254 + "penguin", "word " * 253 + "penguin"])
    np.testing.assert_allclose(a, b, atol=1e-6)
    assert np.abs(a - c).max() > 1e-3
    assert (cut.identity.max_tokens, cut.identity.long, cut.identity.uri) == (256, "", "builtin:minilm?long=cut")


def test_texts_of_129_to_256_tokens_have_the_vectors_of_sentence_transformers(minilm):
    """Its steps by hand: the model over all tokens, the mean of their vectors, length 1."""
    import onnxruntime
    from tokenizers import Tokenizer

    from codomain.encode.encoders import minilm as module

    tokenizer = Tokenizer.from_file(str(Path(module.__file__).parent / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    session = onnxruntime.InferenceSession(str(_installed()))
    for repeats in (20, 32):
        text = "Return the absolute value, or raise. " * (repeats - 15) + "Penguins live in the cold south. " * 15
        ids = np.array([tokenizer.encode(text).ids])
        assert 128 < ids.shape[1] <= 256
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        feed = {node.name: feed[node.name] for node in session.get_inputs()}
        mean = session.run(None, feed)[0][0].mean(axis=0)
        np.testing.assert_allclose(minilm.encode([text])[0], mean / np.linalg.norm(mean), atol=2e-5)


def test_a_longer_text_is_the_mean_of_its_windows_weighted_by_their_tokens(minilm, monkeypatch):
    """The windows are made by hand, of words that are one token each, and encoded one by one."""
    words = ["red", "house", "river", "stone", "paper"] * 120  # 600 words: windows of 254, 254 and 92
    windows = [" ".join(words[start : start + 254]) for start in (0, 254, 508)]
    ours = minilm.encode([" ".join(words)])[0]
    monkeypatch.setattr(minilm._model, "_normalise", False)
    mean = np.average(minilm.encode(windows), axis=0, weights=[256, 256, 94])
    np.testing.assert_allclose(ours, mean / np.linalg.norm(mean), atol=1e-5)


def test_what_is_read_of_longer_texts_is_part_of_who_the_encoder_is(minilm):
    """A space made by another reading refuses it: of 128 tokens, as once, or cut."""
    before = replace(minilm.identity, max_tokens=128, long="")
    with pytest.raises(EncoderMismatch, match=r"max_tokens: 128 here, 256 there; long: '' here, 'mean' there"):
        before.check_same(minilm.identity)
    with pytest.raises(EncoderMismatch, match="long"):
        resolve("builtin:minilm?long=cut").identity.check_same(minilm.identity)
    assert resolve("builtin:minilm?long=mean").identity == minilm.identity


def test_tokens_are_counted_as_by_hand(minilm):
    """Emoji, Thai and Khmer are unknown to this vocabulary; the 300 words are one token each."""
    texts = ["a red house", "😀 🎉", "สวัสดี ครับ", "ខ្មែរ red", "", "house " * 300]
    counts = minilm.count(texts)
    assert counts.read.tolist() == [3, 2, 2, 2, 0, 300] and counts.unread.tolist() == [0] * 6
    assert counts.unknown.tolist() == [0, 2, 2, 1, 0, 0]
    assert counts.nothing_known.tolist() == [False, True, True, False, True, False]
    assert counts.windowed.tolist() == [False] * 5 + [True]
    cut = resolve("builtin:minilm?long=cut").count(texts)
    assert cut.unread.tolist() == [0] * 5 + [46] and cut.read[-1] == 254
    assert cut.to_dict()["texts_cut"] == 1 and "1 of 6 texts" in cut.sentences()[0] and "15%" in cut.sentences()[0]
    assert minilm.count([]).to_dict()["texts"] == 0 and not minilm.count([]).sentences()


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

    shutil.copytree(Path(module.__file__).parent, tmp_path / "minilm")
    tokenizer = tmp_path / "minilm" / "tokenizer.json"
    tokenizer.write_bytes(tokenizer.read_bytes().replace(b'"the"', b'"tha"', 1))
    monkeypatch.setattr(module, "__file__", str(tmp_path / "minilm" / "__init__.py"))
    with pytest.raises(DamagedError, match=r"tokenizer\.json"):
        MiniLM()


def test_the_notice_beside_the_tokenizer_names_its_licence_and_its_hash():
    from codomain.encode.encoders import minilm as module

    notice = (Path(module.__file__).parent / "NOTICE").read_text("utf-8")
    assert "Apache" in notice and module.TOKENIZER_SHA256 in notice
