"""ONNX folders, held to the built-in model and to torch running the same weights."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from codomain.core import UserError, unit_rows
from codomain.encode import resolve
from codomain.encode.encoders import minilm
from codomain.encode.encoders.minilm import _installed

TEXTS = ["a cat sat on the mat", "", "Return the absolute value. " * 60, "日本語", "open a file"]


@pytest.fixture
def folder(tmp_path):
    """A copy of the built-in model as a folder, in the form that exporters write."""
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copyfile(_installed(), folder / "model.onnx")
    shutil.copyfile(Path(minilm.__file__).parent / "tokenizer.json", folder / "tokenizer.json")
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 256}')
    (folder / "config.json").write_text('{"_name_or_path": "some/minilm", "max_position_embeddings": 512}')
    return folder


@pytest.mark.parametrize("long", ["cut", "mean"])
def test_the_built_in_model_copied_to_a_folder_gives_the_same_vectors(folder, long):
    ours, builtin = resolve(f"onnx:{folder}?long={long}"), resolve(f"builtin:minilm?long={long}")
    np.testing.assert_allclose(ours.encode(TEXTS), builtin.encode(TEXTS), atol=1e-6)
    assert (ours.identity.name, ours.identity.pooling, ours.identity.max_tokens) == ("minilm", "mean", 256)
    assert resolve(ours.identity.uri).identity == ours.identity
    assert ours.count(TEXTS).to_dict() == builtin.count(TEXTS).to_dict()


def test_an_option_that_is_not_there_is_refused(folder):
    for option in ("long=best", "short=cut", "long"):
        with pytest.raises(UserError, match=r"option[\s\S]*\?long=mean or \?long=cut"):
            resolve(f"onnx:{folder}?{option}")


def test_a_prompt_takes_its_room_from_the_text(folder):
    (folder / "config_sentence_transformers.json").write_text('{"prompts": {"document": "passage: "}}')
    ours = resolve(f"onnx:{folder}")  # 256 tokens less [CLS], [SEP], "passage" and ":"
    counts = ours.count(["word " * 252, "word " * 253, "สวัสดี"])
    assert counts.unread.tolist() == [0, 1, 0] and counts.nothing_known.tolist() == [False, False, True]
    np.testing.assert_allclose(*ours.encode(["word " * 252, "word " * 252 + "penguin"]), atol=1e-6)


def test_the_pooling_and_scaling_that_the_folder_asks_for_are_used(folder):
    import onnxruntime
    from tokenizers import Tokenizer

    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode": "cls"}')
    (folder / "modules.json").write_text(json.dumps([{"type": "a.b.Transformer"}, {"type": "a.b.Pooling"}]))
    ours = resolve(f"onnx:{folder}")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    ids = np.array([tokenizer.encode("a cat sat").ids])
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    first = session.run(None, feed)[0][0, 0]
    np.testing.assert_allclose(ours.encode(["a cat sat"])[0], first, atol=1e-5)
    assert not ours.identity.normalised and ours.identity.pooling == "cls"
    (folder / "1_Pooling" / "config.json").write_text(
        '{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}'
    )
    np.testing.assert_array_equal(resolve(f"onnx:{folder}").encode(TEXTS), ours.encode(TEXTS))


def test_prompts_are_put_in_front_of_queries_and_documents(folder):
    bare = resolve(f"onnx:{folder}")
    (folder / "config_sentence_transformers.json").write_text(
        '{"prompts": {"query": "query: ", "document": "passage: "}}'
    )
    ours = resolve(f"onnx:{folder}")
    assert (ours.identity.prefix_row, ours.identity.prefix_query) == ("passage: ", "query: ")
    np.testing.assert_allclose(ours.encode(["mail"]), bare.encode(["passage: mail"]), atol=1e-6)
    np.testing.assert_allclose(ours.encode(["mail"], query=True), bare.encode(["query: mail"]), atol=1e-6)
    with pytest.raises(UserError, match="prefix_row"):
        bare.identity.check_same(ours.identity)


def test_two_copies_are_one_encoder_and_another_tokenizer_is_another(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    one, two = resolve(f"onnx:{folder}"), resolve(f"onnx:{tmp_path / 'copy'}")
    one.identity.check_same(two.identity)
    tokenizer = tmp_path / "copy" / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text("utf-8").replace('"lowercase":true', '"lowercase":false'), "utf-8")
    with pytest.raises(UserError, match="sha256"):
        one.identity.check_same(resolve(f"onnx:{tmp_path / 'copy'}").identity)


def test_the_exporters_subfolder_is_found(folder):
    before = resolve(f"onnx:{folder}")
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    after = resolve(f"onnx:{folder}")
    before.identity.check_same(after.identity)
    assert Path(after.identity.uri.removeprefix("onnx:")) == folder


def test_what_it_cannot_do_is_refused_with_the_way_out(folder):
    (folder / "modules.json").write_text(
        json.dumps([{"type": "a.Transformer"}, {"type": "a.Pooling"}, {"type": "a.Dense"}])
    )
    with pytest.raises(UserError, match=r"step Dense[\s\S]*use st:"):
        resolve(f"onnx:{folder}")
    (folder / "modules.json").unlink()
    (folder / "1_Pooling").mkdir()
    for asked in ('{"pooling_mode": "lasttoken"}', '{"pooling_mode_max_tokens": true}', '{"include_prompt": false}'):
        (folder / "1_Pooling" / "config.json").write_text(asked)
        with pytest.raises(UserError, match=r"pooling[\s\S]*use st:"):
            resolve(f"onnx:{folder}")
    (folder / "1_Pooling" / "config.json").write_text("{")
    with pytest.raises(UserError, match="not JSON"):
        resolve(f"onnx:{folder}")


def test_a_folder_without_a_graph_or_with_a_torn_one_is_refused(folder):
    graph = folder / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:100_000])
    with pytest.raises(UserError, match=r"model\.onnx cannot be run"):
        resolve(f"onnx:{folder}")
    graph.unlink()
    with pytest.raises(UserError, match=r"holds no model\.onnx"):
        resolve(f"onnx:{folder}")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"lacks tokenizer\.json"):
        resolve(f"onnx:{folder}")


def test_vectors_have_length_one_when_nothing_says_otherwise(folder):
    found = resolve(f"onnx:{folder}").encode(TEXTS)
    np.testing.assert_allclose(found, unit_rows(found), atol=1e-6)
