"""Two encoders are the same when everything that moves a vector is the same."""

import json
from dataclasses import fields, replace

import pytest

from codomain.core import EncoderIdentity, EncoderMismatch

MINILM = EncoderIdentity("minilm", "ab" * 32, 384, pooling="mean", max_tokens=256, uri="builtin:minilm")
OTHER = {"name": "e5", "sha256": "cd" * 32, "dim": 256, "pooling": "cls", "prefix_row": "passage: ",
         "prefix_query": "query: ", "normalised": False, "max_tokens": 128, "long": "mean"}  # fmt: skip


def test_a_record_of_before_there_were_windows_is_written_as_it_was():
    record = {**MINILM.to_dict()}
    assert "long" not in record and EncoderIdentity.from_dict(record) == MINILM
    windowed = replace(MINILM, long="mean")
    assert EncoderIdentity.from_dict(windowed.to_dict()) == windowed != MINILM


def test_an_encoder_is_the_same_as_its_copy_elsewhere():
    MINILM.check_same(replace(MINILM, uri="onnx:/somewhere/else"))


@pytest.mark.parametrize("name", [field.name for field in fields(EncoderIdentity) if field.name != "uri"])
def test_every_field_that_moves_a_vector_counts(name):
    with pytest.raises(EncoderMismatch, match=f"{name}: ") as caught:
        MINILM.check_same(replace(MINILM, **{name: OTHER[name]}), todo="codomain migrate A --to B")
    assert "codomain migrate A --to B" in str(caught.value)


def test_an_identity_survives_json():
    assert EncoderIdentity.from_dict(json.loads(json.dumps(MINILM.to_dict()))) == MINILM


def test_a_field_that_this_version_does_not_know_is_an_error():
    with pytest.raises(TypeError, match="rotation"):
        EncoderIdentity.from_dict({**MINILM.to_dict(), "rotation": 1})


def test_given_vectors_never_match_a_text_encoder():
    given = EncoderIdentity.given(384)
    assert not given.encodes
    with pytest.raises(EncoderMismatch):
        given.check_same(MINILM)


def test_it_describes_itself_in_one_line():
    assert MINILM.describe() == "minilm, 384-d, weights abababababab"
    assert EncoderIdentity.given(3).describe() == "given, 3-d"
