"""sentence-transformers folders: a tiny random BERT, saved by that library, held to torch by hand."""

import shutil

import numpy as np
import pytest

from codomain.core import UserError
from codomain.encode import count_tokens, resolve

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "sat", "on", "the", "mat", "find", ":", "text"]
TEXTS = ["a cat sat on the mat", "", "the the the", "cat " * 30, "half a pair \ud800"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    torch = pytest.importorskip("torch")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    sizes = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=24, **sizes)).save_pretrained(folder / "plain")
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    BertTokenizerFast(vocab=vocabulary, model_max_length=24).save_pretrained(folder / "plain")
    steps = [Transformer(str(folder / "plain")), Pooling(16, "mean"), Normalize()]
    model = SentenceTransformer(modules=steps, prompts={"query": "find: ", "document": "text: "}, device="cpu")
    model.save(str(folder / "model"))
    return folder / "model"


@pytest.fixture(scope="module")
def encoder(saved):
    return resolve(f"st:{saved}")


def test_vectors_are_those_of_the_model_run_by_hand(saved, encoder):
    torch = pytest.importorskip("torch")
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(saved), AutoTokenizer.from_pretrained(saved)
    for query, prompt in ((False, "text: "), (True, "find: ")):
        for text in ("a cat sat on the mat", ""):
            with torch.inference_mode():
                hidden = model(**tokenizer(prompt + text, return_tensors="pt")).last_hidden_state[0].mean(0)
            expected = (hidden / hidden.norm()).numpy()
            np.testing.assert_allclose(encoder.encode([text], query=query)[0], expected, atol=1e-6)


def test_what_it_says_of_itself_is_what_it_does(encoder):
    found = encoder.encode(TEXTS)
    who = encoder.identity
    assert found.shape == (len(TEXTS), who.dim) == (5, 16) and found.dtype == np.float32
    assert (who.prefix_row, who.prefix_query, who.pooling, who.normalised) == ("text: ", "find: ", "mean", True)
    assert who.max_tokens == 24
    assert encoder.encode([]).shape == (0, 16)


def test_a_text_has_one_vector_whatever_its_batch(encoder):
    alone = np.vstack([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.encode(TEXTS * 10)[-5:], alone, atol=1e-6)


def test_two_copies_are_one_encoder_and_other_weights_are_another(saved, encoder, tmp_path):
    shutil.copytree(saved, tmp_path / "copy")
    encoder.identity.check_same(resolve(f"st:{tmp_path / 'copy'}").identity)
    weights = tmp_path / "copy" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    with pytest.raises(UserError, match="sha256"):
        encoder.identity.check_same(resolve(f"st:{tmp_path / 'copy'}").identity)


def test_a_folder_that_holds_no_model_is_refused_in_words(tmp_path):
    with pytest.raises(UserError, match="sentence-transformers cannot read"):
        resolve(f"st:{tmp_path}")


def test_loading_draws_nothing_where_results_or_logs_go(saved, capfd):
    resolve(f"st:{saved}")
    assert capfd.readouterr() == ("", "")


def test_tokens_are_counted_as_by_hand(encoder):
    """24 at once less [CLS], [SEP] and the prompt "text", ":"; a dog is not in the vocabulary."""
    counts = count_tokens(encoder, ["a cat sat", "", "cat " * 20, "cat " * 21, "a dog sat", "dog", "dog dog"])
    assert counts.read.tolist() == [3, 0, 20, 20, 3, 1, 2] and counts.unread.tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert counts.unknown.tolist() == [0, 0, 0, 0, 1, 1, 2]
    same, other = encoder.encode(["cat " * 20 + "on", "cat " * 20 + "mat"])
    np.testing.assert_allclose(same, other, atol=1e-6)  # the 21st is indeed not read
    assert np.abs(np.subtract(*encoder.encode(["cat " * 19 + "on", "cat " * 19 + "mat"]))).max() > 1e-4
