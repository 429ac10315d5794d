"""Token tables, held to the libraries whose files they read."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from codomain.core import DamagedError, UserError, unit_rows
from codomain.encode import TokenTable, resolve

TEXTS = [
    "a cat sat on the mat",
    "zebra zebra a",
    "",
    "qqq www",
    "the mat the mat the mat",
    "A, cat! the\nmat",
    "cat " * 700,
]
WORDS = ["[PAD]", "[UNK]", "a", "cat", "sat", "on", "the", "mat", "zebra", ",", "!"]


@pytest.fixture(scope="module")
def wordllama():
    return resolve("static:wordllama")


def test_wordllama_gives_the_vectors_that_its_own_library_gives(wordllama, docstrings):
    import wordllama as library

    peer = library.WordLlama.load(cache_dir=Path(library.__file__).parent, disable_download=True)
    texts = [*docstrings["text"].to_pylist()[:200], "日本語", "🙂", "x"]
    np.testing.assert_allclose(wordllama.encode(texts), peer.embed(texts, norm=True), atol=1e-6)


def test_a_text_has_the_same_bytes_whatever_its_batch(wordllama, docstrings):
    texts = docstrings["text"].to_pylist()[:50]
    together = wordllama.encode(texts * 2)
    np.testing.assert_array_equal(together[:50], together[50:])
    np.testing.assert_array_equal(together[:50], np.vstack([wordllama.encode([text]) for text in texts]))


def test_related_texts_are_nearer_than_unrelated_ones(wordllama):
    a, b, c = wordllama.encode(["a cat sat on the mat", "the kitten is on the rug", "stocks fell on Monday"])
    assert a @ b > a @ c + 0.1


def test_an_empty_text_is_a_row_of_zeros_and_no_text_no_row(wordllama):
    assert not wordllama.encode(["", "a"])[0].any()
    assert wordllama.encode([]).shape == (0, 256)


def test_a_table_that_is_not_the_pinned_one_is_refused(tmp_path, monkeypatch):
    import shutil
    from importlib.machinery import ModuleSpec
    from importlib.util import find_spec

    from codomain.encode.encoders import static

    there = Path(find_spec("wordllama").origin).parent
    for name in static._WORDLLAMA:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(there / name, tmp_path / name)
    spec = ModuleSpec("wordllama", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(static, "find_spec", lambda name: spec)
    TokenTable.wordllama()
    table = tmp_path / "weights" / "l2_supercat_256.safetensors"
    content = bytearray(table.read_bytes())
    content[9_000_001] ^= 4
    table.write_bytes(content)
    with pytest.raises(DamagedError, match="l2_supercat_256"):
        TokenTable.wordllama()


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def _save(folder, *, normalize=False, max_length=512, dtype=np.float32, shared=False):
    from model2vec import StaticModel

    rng = np.random.default_rng(3)
    if shared:  # fewer rows than tokens, each token with a weight of its own
        vectors, mapping = rng.standard_normal((4, 6)).astype(dtype), rng.integers(4, size=len(WORDS))
        weights = rng.uniform(0.5, 2, len(WORDS)).astype(np.float32)
        model = StaticModel(vectors, _tokenizer(), weights=weights, token_mapping=mapping, normalize=normalize)
    else:
        vectors = rng.standard_normal((len(WORDS), 6))
        vectors = (vectors * 40).astype(dtype) if dtype == np.int8 else vectors.astype(dtype)
        model = StaticModel(vectors, _tokenizer(), normalize=normalize, max_length=max_length)
    from model2vec.persistence import save_pretrained

    save_pretrained(
        folder, model.embedding, model.tokenizer, model.config, create_model_card=False,
        weights=model.weights, mapping=model.token_mapping,
    )  # fmt: skip
    return model


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"normalize": True},
        {"max_length": 3},
        {"max_length": None},
        {"dtype": np.float16},
        {"dtype": np.int8},
        {"shared": True, "normalize": True},
    ],
    ids=str,
)
def test_a_model2vec_folder_gives_the_vectors_that_model2vec_gives(tmp_path, options):
    from model2vec import StaticModel

    _save(tmp_path, **options)
    peer = StaticModel.from_pretrained(tmp_path, force_download=False)
    ours = resolve(f"model2vec:{tmp_path}")
    expected = peer.encode(TEXTS, use_multiprocessing=False)
    # model2vec sums half-precision tables in half precision; ours sums in float32.
    np.testing.assert_allclose(ours.encode(TEXTS), expected, atol=2e-3 if options.get("dtype") == np.float16 else 1e-5)
    assert ours.identity.normalised == bool(options.get("normalize"))


def test_the_mean_by_hand(tmp_path):
    model = _save(tmp_path)
    row = {word: model.embedding[n] for n, word in enumerate(WORDS)}
    found = resolve(f"model2vec:{tmp_path}").encode(["a cat, a unicorn"])[0]
    np.testing.assert_allclose(found, (2 * row["a"] + row["cat"] + row[","]) / 4, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(unit_rows(found[None])), 1, atol=1e-6)


def test_two_copies_of_a_folder_are_one_encoder_and_another_table_is_not(tmp_path):
    _save(tmp_path / "one")
    _save(tmp_path / "two")
    _save(tmp_path / "other", shared=True)
    one, two, other = (resolve(f"model2vec:{tmp_path / name}").identity for name in ("one", "two", "other"))
    one.check_same(two)
    with pytest.raises(UserError, match="sha256"):
        one.check_same(other)


def test_a_folder_that_lacks_a_file_or_is_torn_is_refused_in_words(tmp_path):
    _save(tmp_path)
    (tmp_path / "config.json").rename(tmp_path / "away")
    with pytest.raises(UserError, match=r"lacks config\.json"):
        resolve(f"model2vec:{tmp_path}")
    (tmp_path / "away").rename(tmp_path / "config.json")
    table = tmp_path / "model.safetensors"
    table.write_bytes(table.read_bytes()[:-40])
    with pytest.raises(UserError, match="cannot be read as a token table"):
        resolve(f"model2vec:{tmp_path}")


def test_tokens_are_counted_as_by_hand(tmp_path, wordllama):
    """wordllama spells what it does not know in bytes; a model2vec table leaves it out of the mean."""
    counts = wordllama.count(["x", "", "สวัสดี 🙂"])
    assert counts.read[0] >= 1 and counts.read[1] == 0 and not counts.unknown.any() and not counts.cut.any()
    _save(tmp_path, max_length=8)
    counts = TokenTable.model2vec(str(tmp_path)).count(["a cat", "qqq www", "cat " * 11, "a qqq", ""])
    # A text is first cut at 8 times 3 letters, the median length of a word: six cats.
    assert counts.read.tolist() == [2, 2, 6, 2, 0] and counts.unread.tolist() == [0, 0, 5, 0, 0]
    assert counts.unknown.tolist() == [0, 2, 0, 1, 0]
    assert counts.nothing_known.tolist() == [False, True, False, False, True]
