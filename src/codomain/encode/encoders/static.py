"""Token tables: a text's vector is the mean of its tokens' rows. No layers, so thousands of texts a second."""

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from codomain.core import EncoderIdentity, UserError, need, unit_rows
from codomain.core.sealed import Seal, check
from codomain.encode.encoders.counts import TokenCounts, unknown_token
from codomain.encode.encoders.folder import check_list, hash_of, model_folder, plain, read_json

WORDLLAMA_SHA256 = "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5"
_WORDLLAMA = {
    "weights/l2_supercat_256.safetensors": Seal(16_384_096, WORDLLAMA_SHA256, (WORDLLAMA_SHA256,)),
    "tokenizers/l2_supercat_tokenizer_config.json": Seal(
        1_842_796,
        "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
        ("93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",),
    ),
}
_CHUNK = 4096  # texts tokenised at once: bounds the memory


class TokenTable:
    """A table with one row per token.

    The same text gives the same bytes whatever else is in its batch; a text without a known token gives zeros.

    Parameters
    ----------
    table : ndarray of shape (n_rows, dim)
        One row per token, or fewer with `mapping`.
    tokenizer : tokenizers.Tokenizer
        Cuts texts into the table's tokens.
    identity : EncoderIdentity
        Whose table it is.
    weights : ndarray of shape (n_tokens,), default=None
        What each token's row is multiplied by.
    mapping : ndarray of shape (n_tokens,), default=None
        The row of each token.
    skip : int, default=None
        A token that is left out, as if it were not in the text.
    max_characters : int, default=None
        Characters kept of a text before it is cut into tokens.
    """

    batch_rows = 2048

    def __init__(
        self, table: NDArray[Any], tokenizer: Any, identity: EncoderIdentity, *,
        weights: NDArray[Any] | None = None, mapping: NDArray[Any] | None = None, skip: int | None = None,
        max_characters: int | None = None,
    ) -> None:  # fmt: skip
        self._table = np.asarray(table, dtype=np.float32)
        self._weights, self._mapping, self._skip = weights, mapping, skip
        self._tokenizer, self._max_characters = tokenizer, max_characters
        self.identity = identity
        tokenizer.no_padding()
        if identity.max_tokens:
            tokenizer.enable_truncation(identity.max_tokens)
        else:
            tokenizer.no_truncation()

    @classmethod
    def wordllama(cls) -> Self:
        """Read the table inside the package `wordllama` without importing it: 256-d, length 1, whole texts.

        Raises
        ------
        UserError
            When the extra `static` is not installed.
        DamagedError
            When the table or its tokenizer are not the bytes that are pinned here.
        """
        tokenizers = need("tokenizers", "static")
        spec = find_spec("wordllama")
        if spec is None or spec.origin is None:
            need("wordllama", "static")  # says which command installs it
            raise AssertionError
        weights, tokenizer = (Path(spec.origin).parent / name for name in _WORDLLAMA)
        for path, seal in zip((weights, tokenizer), _WORDLLAMA.values(), strict=True):
            check(path, seal, todo="pip install --force-reinstall --no-deps wordllama==0.4.0.post1")
        (table,) = load_file(weights).values()
        identity = EncoderIdentity("wordllama", WORDLLAMA_SHA256, table.shape[1], "mean", uri="static:wordllama")
        return cls(table, tokenizers.Tokenizer.from_file(str(tokenizer)), identity)

    @classmethod
    def model2vec(cls, path: str) -> Self:
        """Read a model2vec folder: model.safetensors, tokenizer.json, config.json.

        Parameters
        ----------
        path : str
            The folder. Tokens kept and scaling to length 1 are as its config.json says.

        Raises
        ------
        UserError
            When the folder or a file is missing, or the table cannot be read.
        """
        tokenizers = need("tokenizers", "static")
        folder = model_folder(path, ["model.safetensors", "tokenizer.json", "config.json"])
        config = read_json(folder / "config.json", {})
        try:
            arrays = load_file(folder / "model.safetensors")
            table = arrays["embeddings"] if "embeddings" in arrays else arrays["embedding.weight"]
        except (SafetensorError, KeyError) as error:
            raise UserError(
                f"{folder / 'model.safetensors'} cannot be read as a token table: {error}.",
                needed="an array called embeddings, as model2vec saves it",
                todo="copy the model's folder again",
            ) from None
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        mapping = arrays.get("mapping")
        if mapping is None and len(table) != tokenizer.get_vocab_size():
            raise UserError(
                f"{folder} has {len(table):,} rows for {tokenizer.get_vocab_size():,} tokens.",
                needed="one row per token",
                todo="copy model.safetensors and tokenizer.json from the same model",
            )
        identity = EncoderIdentity(
            str(config.get("tokenizer_name") or "model2vec").rpartition("/")[2],
            hash_of(folder, [folder / "model.safetensors", folder / "tokenizer.json"]),
            table.shape[1], "mean", normalised=bool(config.get("normalize")),
            max_tokens=config.get("max_length", 512) or 0, uri=f"model2vec:{folder}",
        )  # fmt: skip
        skip = unknown_token(read_json(folder / "tokenizer.json", {}).get("model", {}), tokenizer)
        # As the library does: a text is first cut at as many characters as the kept tokens usually have.
        usual = int(np.median([len(token) for token in tokenizer.get_vocab()]))
        return cls(
            table, tokenizer, identity, weights=arrays.get("weights"), mapping=mapping, skip=skip,
            max_characters=identity.max_tokens * usual or None,
        )  # fmt: skip

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Return vectors of shape (n, dim); a query is encoded as a row is."""
        check_list(texts)
        out = np.empty((len(texts), self._table.shape[1]), dtype=np.float32)
        for start in range(0, len(texts), _CHUNK):
            out[start : start + _CHUNK] = self._means(texts[start : start + _CHUNK])
        return unit_rows(out) if self.identity.normalised else out

    def count(self, texts: Sequence[str]) -> TokenCounts:
        """Count the tokens of texts; those left out because the table has no row for them are unknown."""
        counts = []
        for start in range(0, len(texts), _CHUNK):
            some = plain(texts[start : start + _CHUNK])
            kept = [text[: self._max_characters] for text in some]
            read = [one.ids for one in self._tokenizer.encode_batch_fast(kept, add_special_tokens=False)]
            whole = self._tokenizer.encode_batch_fast(some, add_special_tokens=False)
            for ids, text in zip(read, whole, strict=True):
                length = sum(len(window.ids) for window in (text, *text.overflowing))
                counts.append((len(ids), max(length - len(ids), 0), 0 if self._skip is None else ids.count(self._skip)))
        read_, unread, unknown = np.array(counts, np.int64).reshape(-1, 3).T
        return TokenCounts(read_, unread, unknown, self.identity.max_tokens)

    def _means(self, texts: Sequence[str]) -> NDArray[np.float32]:
        from scipy.sparse import csr_array

        cut = [text[: self._max_characters] for text in plain(texts)]
        found = [one.ids for one in self._tokenizer.encode_batch_fast(cut, add_special_tokens=False)]
        tokens = np.fromiter(chain.from_iterable(found), np.int64)
        row = np.repeat(np.arange(len(found)), [len(ids) for ids in found])
        if self._skip is not None:
            row, tokens = row[tokens != self._skip], tokens[tokens != self._skip]
        counts = np.bincount(row, minlength=len(found))
        weights = np.ones(len(tokens), np.float32) if self._weights is None else self._weights[tokens]
        columns = tokens if self._mapping is None else self._mapping[tokens]
        starts = np.concatenate([[0], np.cumsum(counts)])
        # One sparse row per text, a product with the table: each text's tokens are summed in their order, in C.
        chosen = csr_array((weights.astype(np.float32), columns, starts), shape=(len(found), len(self._table)))
        return np.asarray(chosen @ self._table / np.maximum(counts, 1)[:, None].astype(np.float32))
