"""A single text handed to `encode` would be taken for a list of letters."""

import numpy as np
import pytest

from codomain.core import UserError
from codomain.encode import resolve


def test_one_text_is_refused_with_the_call_to_type():
    encoder = resolve("static:wordllama")
    for text in ("abc", ""):
        with pytest.raises(UserError, match="was given one text") as refused:
            encoder.encode(text)
        assert f"encode([{text!r}])" in str(refused.value)
    assert encoder.encode(["abc"]).shape == (1, encoder.identity.dim)
    assert np.array_equal(encoder.encode(("abc",)), encoder.encode(["abc"]))
