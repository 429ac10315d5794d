"""Encoding docstrings: ours against each library's own way, on the same texts with the same weights."""

import os
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from benchmarks.paired import paired
from codomain.data import stdlib_docstrings
from codomain.encode import encode_rows, resolve
from codomain.encode.encoders import minilm


def plain_loop(texts: list[str], batch: int = 32, max_tokens: int = 128) -> NDArray[np.float32]:
    """onnxruntime as its examples use it: all threads on one batch, texts as they come, padded to the longest."""
    where = Path(minilm.__file__).parent / "minilm" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(where))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.enable_padding()
    out = []
    for start in range(0, len(texts), batch):
        found = tokenizer.encode_batch(texts[start : start + batch])
        ids = np.array([one.ids for one in found])
        held = np.array([one.attention_mask for one in found])
        feed = {"input_ids": ids, "attention_mask": held, "token_type_ids": np.zeros_like(ids)}
        hidden = SESSION.run(None, feed)[0]
        mean = (hidden * held[..., None]).sum(1) / held.sum(1, keepdims=True)
        out.append(mean / np.linalg.norm(mean, axis=1, keepdims=True))
    return np.concatenate(out).astype(np.float32)


def model2vec_pair(folder: Path, texts: list[str]) -> None:
    """The wordllama table, saved in model2vec's form."""
    from model2vec import StaticModel
    from model2vec.persistence import save_pretrained

    table = resolve("static:wordllama")
    made = StaticModel(table._table, table._tokenizer, normalize=True)
    save_pretrained(folder, made.embedding, made.tokenizer, made.config, create_model_card=False)
    theirs = StaticModel.from_pretrained(folder, force_download=False)
    ours = resolve(f"model2vec:{folder}")
    gap = np.abs(ours.encode(texts) - theirs.encode(texts, use_multiprocessing=False)).max()
    paired(
        f"model2vec, {len(texts):,} texts, same to {gap:.0e}",
        lambda: ours.encode(texts),
        lambda: theirs.encode(texts),
        peer_name="StaticModel.encode",
    )


def wordllama_pair(texts: list[str]) -> None:
    import wordllama

    theirs = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    ours = resolve("static:wordllama")
    gap = np.abs(ours.encode(texts) - theirs.embed(texts, norm=True)).max()
    paired(
        f"wordllama, {len(texts):,} texts, same to {gap:.0e}",
        lambda: ours.encode(texts),
        lambda: theirs.embed(texts, norm=True),
        peer_name="WordLlama.embed",
    )


def rows_pair(texts: list[str]) -> None:
    """What the ledger, the hashes and the shuffle cost, with the fastest encoder."""
    ours = resolve("static:wordllama")

    def in_blocks() -> None:
        with tempfile.TemporaryDirectory() as scratch:
            encode_rows(ours, texts, Path(scratch), progress=False)

    paired(f"encode_rows, {len(texts):,} texts", in_blocks, lambda: ours.encode(texts), peer_name="one call, no ledger")


if __name__ == "__main__":
    texts = stdlib_docstrings()["text"].to_pylist()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    SESSION = onnxruntime.InferenceSession(str(minilm._installed()), options, providers=["CPUExecutionProvider"])
    few = texts[:: max(1, len(texts) // 128)]
    ours = resolve("builtin:minilm")
    gap = np.abs(ours.encode(few) - plain_loop(few)).max()
    paired(
        f"minilm, {len(few)} texts, same to {gap:.0e}",
        lambda: ours.encode(few),
        lambda: plain_loop(few),
        peer_name="onnxruntime, batches of 32",
        rounds=3,
    )
    wordllama_pair(texts)
    with tempfile.TemporaryDirectory() as folder:
        model2vec_pair(Path(folder), texts)
    rows_pair(texts)
