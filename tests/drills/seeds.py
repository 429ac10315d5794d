"""One small valid example of every form that is read, each in a folder of its own."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.feather as feather
import pyarrow.parquet as pq

ROWS = 12
X = np.random.default_rng(0).normal(size=(ROWS, 8)).astype(np.float32)
PLAIN = {
    "id": [f"k{n}" for n in range(ROWS)],
    "text": [f'text number {n}, "quoted" and plain' for n in range(ROWS)],
    "year": [2000 + n for n in range(ROWS)],
    "kind": ["x", "y"] * (ROWS // 2),
}
RICH = pa.table(
    PLAIN
    | {
        "embedding": pa.array(list(X), pa.list_(pa.float32(), 8)),
        "tags": pa.array([["a", "b"], None, []] * 4, pa.list_(pa.string())),
        "size": pa.array([{"w": 1, "h": None}] * ROWS, pa.struct([("w", pa.int8()), ("h", pa.float64())])),
        "when": pa.array(range(ROWS), pa.timestamp("ms", "Europe/Paris")),
        "class": pa.array(["net", "graph"] * (ROWS // 2)).dictionary_encode(),
    }
)
FLAT = pa.table(PLAIN | {"embedding": [str(row.tolist()) for row in X]})
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "sat", "on", "the", "mat", "number", "text"]


def _csv(path: Path, comma: str = ",") -> None:
    pa_csv.write_csv(FLAT, path, pa_csv.WriteOptions(delimiter=comma))


def _gzipped(path: Path) -> None:
    _csv(path.with_suffix(""))
    path.write_bytes(gzip.compress(path.with_suffix("").read_bytes(), mtime=0))
    path.with_suffix("").unlink()


def _jsonl(path: Path, table: pa.Table = FLAT) -> None:
    path.write_text("\n".join(json.dumps(row, default=str) for row in table.to_pylist()))


def _ipc(path: Path, maker: Callable[..., Any], compression: str | None = None) -> None:
    with maker(str(path), RICH.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as file:
        file.write_table(RICH)


def _safetensors(path: Path, kind: str = "float32") -> None:
    if kind == "bfloat16":  # written by hand: numpy has no such type
        head = json.dumps({"X": {"dtype": "BF16", "shape": [ROWS, 8], "data_offsets": [0, 2 * X.size]}}).encode()
        path.write_bytes(len(head).to_bytes(8, "little") + head + (X.view(np.uint32) >> 16).astype("<u2").tobytes())
        return
    from safetensors.numpy import save_file

    save_file({"X": X, "y": np.arange(ROWS)}, path)


def _fvecs(path: Path) -> None:
    np.concatenate([np.full((ROWS, 1), 8, "<i4"), X.view("<i4")], axis=1).tofile(path)


def _documents(path: Path) -> None:
    path.mkdir()
    for n in range(4):
        (path / f"{n}.{'txt' if n % 2 else 'md'}").write_text(f"document number {n}\nof two lines\n")


def _saved_data_set(path: Path) -> None:
    """Write what `datasets.Dataset.save_to_disk` writes."""
    path.mkdir(parents=True)
    table = pa.table({"text": PLAIN["text"], "label": [0, 1] * (ROWS // 2), "emb": list(X)})
    names = ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]
    for n, name in enumerate(names):
        with pa.ipc.new_stream(str(path / name), table.schema) as file:
            file.write_table(table.slice(n * 6, 6))
    state = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "ab", "_split": None}
    (path / "state.json").write_text(json.dumps(state))
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["net", "graph"], "_type": "ClassLabel"},
        "emb": {"feature": {"dtype": "float32", "_type": "Value"}, "_type": "Sequence"},
    }
    (path / "dataset_info.json").write_text(json.dumps({"features": features, "description": ""}))


def _saved_splits(path: Path) -> None:
    for split in ("train", "test"):
        _saved_data_set(path / split)
    (path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')


def _shards(path: Path, ending: str) -> None:
    path.mkdir()
    for n in range(3):
        table = FLAT.slice(n * 4, 4)
        pq.write_table(table, path / f"{n}.parquet") if ending == "parquet" else pa_csv.write_csv(
            table, path / f"{n}.csv"
        )


def _table_and_vectors(path: Path) -> None:
    path.mkdir()
    pq.write_table(pa.table(PLAIN), path / "rows.parquet")
    np.save(path / "X.npy", X)


def _labels(path: Path) -> None:
    table = pa.table({"id": PLAIN["id"][:6], "label": ["net", "graph"] * 3})
    if path.suffix == ".csv":
        pa_csv.write_csv(table, path)
    elif path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        _jsonl(path, table)


def _token_table(path: Path) -> None:
    """Write what model2vec saves."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers

    path.mkdir()
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(path / "tokenizer.json"))
    table = np.random.default_rng(1).normal(size=(len(WORDS), 4)).astype(np.float32)
    arrays = {"embeddings": table, "mapping": np.arange(len(WORDS)), "weights": np.ones(len(WORDS), np.float32)}
    save_file(arrays, path / "model.safetensors")
    config = {"model_type": "model2vec", "normalize": True, "max_length": 20, "tokenizer_name": "some/table"}
    (path / "config.json").write_text(json.dumps(config))


def _onnx(path: Path) -> None:
    """Write the built-in model as a folder; its graph is a link, for only what is beside it is damaged."""
    from codomain.encode.encoders import minilm
    from codomain.encode.encoders.minilm import _installed

    (path / "1_Pooling").mkdir(parents=True)
    (path / "model.onnx").symlink_to(_installed())
    (path / "tokenizer.json").write_bytes((Path(minilm.__file__).parent / "tokenizer.json").read_bytes())
    (path / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    (path / "config.json").write_text('{"_name_or_path": "some/minilm", "max_position_embeddings": 512}')
    (path / "tokenizer_config.json").write_text('{"model_max_length": 512}')
    (path / "1_Pooling" / "config.json").write_text('{"pooling_mode": "cls"}')
    (path / "modules.json").write_text('[{"type": "a.b.Transformer"}, {"type": "a.b.Pooling"}]')
    prompts = {"prompts": {"query": "query: ", "document": "passage: "}, "default_prompt_name": None}
    (path / "config_sentence_transformers.json").write_text(json.dumps(prompts))


def _sentence_transformers(path: Path) -> None:
    """Write the smallest BERT that sentence-transformers saves."""
    from sentence_transformers import SentenceTransformer, models
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import WordPiece
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    words = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    inner = path.with_name("bert")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=16, **words).save_pretrained(inner)
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=16, **sizes)).save_pretrained(inner)
    transformer = models.Transformer(str(inner), max_seq_length=16)
    SentenceTransformer(modules=[transformer, models.Pooling(8)], device="cpu").save(str(path))


def _onnx_graph(path: Path) -> None:
    """Write a folder whose model looks its tokens up in a table: one Gather, of which every byte is damaged in turn."""
    _token_table(path)
    (path / "model.safetensors").unlink()
    (path / "config.json").unlink()
    table = np.random.default_rng(1).normal(size=(len(WORDS), 4)).astype("<f4")
    weights = _field(1, [*_number(len(WORDS)), *_number(4)]) + _varint(2, 1) + _field(8, "table")
    node = b"".join(_field(n, name) for n, name in ((1, "table"), (1, "input_ids"), (2, "vectors"), (4, "Gather")))
    graph = _field(1, node) + _field(2, "graph") + _field(5, weights + _field(9, table.tobytes()))
    graph += b"".join(_field(11, _onnx_value(name, 7)) for name in ("input_ids", "attention_mask"))
    graph += _field(12, _onnx_value("vectors", 1, 4))
    (path / "model.onnx").write_bytes(_varint(1, 8) + _field(7, graph) + _field(8, _varint(2, 13)))


def _onnx_value(name: str, kind: int, *width: int) -> bytes:
    """Return ONNX's description of an input or output of shape (batch, tokens, *width)."""
    shape = b"".join(_field(1, _field(2, axis)) for axis in ("batch", "tokens"))
    shape += b"".join(_field(1, _varint(1, axis)) for axis in width)
    return _field(1, name) + _field(2, _field(1, _varint(1, kind) + _field(2, shape)))


def _number(value: int) -> bytes:
    """Return a protobuf number: seven bits in each byte, the lowest first."""
    return bytes([value]) if value < 128 else bytes([value % 128 + 128]) + _number(value // 128)


def _varint(field: int, value: int) -> bytes:
    return _number(8 * field) + _number(value)


def _field(field: int, value: bytes | str | list[int]) -> bytes:
    data = value.encode() if isinstance(value, str) else bytes(value)
    return _number(8 * field + 2) + _number(len(data)) + data


FILES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "csv": ("a.csv", _csv),
    "csv, semicolons": ("a.csv", lambda path: _csv(path, ";")),
    "csv.gz": ("a.csv.gz", _gzipped),
    "tsv": ("a.tsv", lambda path: _csv(path, "\t")),
    "json, objects": ("a.json", lambda path: path.write_text(json.dumps(FLAT.to_pylist())) and None),
    "json, columns": ("a.json", lambda path: path.write_text(json.dumps(FLAT.to_pydict())) and None),
    "jsonl": ("a.jsonl", _jsonl),
    "jsonl, nested": ("a.ndjson", lambda path: _jsonl(path, RICH)),
    "parquet": ("a.parquet", lambda path: pq.write_table(RICH, path)),
    "parquet, zstd": ("a.parquet", lambda path: pq.write_table(RICH, path, 5, compression="zstd")),
    "arrow file": ("a.arrow", lambda path: _ipc(path, pa.ipc.new_file)),
    "arrow stream": ("a.arrow", lambda path: _ipc(path, pa.ipc.new_stream)),
    "arrow, zstd": ("a.arrow", lambda path: _ipc(path, pa.ipc.new_file, "zstd")),
    "feather": ("a.feather", lambda path: feather.write_feather(RICH, str(path))),
    "npy": ("a.npy", lambda path: np.save(path, X)),
    "npz": ("a.npz", lambda path: np.savez(path, X=X, y=np.arange(ROWS))),
    "npz, packed": ("a.npz", lambda path: np.savez_compressed(path, X=X, y=np.arange(ROWS))),
    "safetensors": ("a.safetensors", _safetensors),
    "safetensors, bfloat16": ("a.safetensors", lambda path: _safetensors(path, "bfloat16")),
    "fvecs": ("a.fvecs", _fvecs),
    "txt": ("a.txt", lambda path: path.write_text("\n".join(PLAIN["text"])) and None),
}
FOLDERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "folder of documents": ("docs", _documents),
    "saved data set": ("hf", _saved_data_set),
    "saved splits": ("hf", _saved_splits),
    "folder of csv": ("shards", lambda path: _shards(path, "csv")),
    "folder of parquet": ("shards", lambda path: _shards(path, "parquet")),
    "table and vectors": ("both", _table_and_vectors),
}
LABELS: dict[str, tuple[str, Callable[[Path], None]]] = {
    f"labels, {ending}": (f"labels.{ending}", _labels) for ending in ("csv", "jsonl", "parquet")
}
ENCODERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "model2vec folder": ("table", _token_table),
    "onnx folder": ("onnx", _onnx),
    "onnx graph": ("onnx", _onnx_graph),
    "st folder": ("st", _sentence_transformers),
}
FORMS = FILES | FOLDERS | LABELS | ENCODERS
