"""Values as JSON can hold them."""

import base64
import math
from collections.abc import Mapping
from typing import Any

EXACT = 2**53  # above this JavaScript's numbers skip whole numbers


def plain(value: object) -> Any:
    """Return a value as JSON can hold it.

    Parameters
    ----------
    value : object
        Numbers of numpy, dates and other objects are welcome.

    Returns
    -------
    object
        The same with plain Python types: NaN and infinity are None, bytes are base64, what JSON does not know is its
        text, and so is a whole number beyond 2^53, whose last digits JavaScript (and jq) would change.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # arrays and numbers of numpy, which is not imported for this
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, int) and abs(value) > EXACT:
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
