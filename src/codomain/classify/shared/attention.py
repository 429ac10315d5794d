"""Attention of several heads, as plain functions of its weights."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import need

if TYPE_CHECKING:
    from torch import Tensor

HEADS = 4  # at most; as many as divide the width


def first_attention(dim: int, rng: np.random.RandomState) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw the map of queries, keys and values, (3 dim, dim), and that of all heads, (dim, dim), as torch does."""
    joint, bound = math.sqrt(6 / (4 * dim)), 1 / math.sqrt(dim)
    return rng.uniform(-joint, joint, (3 * dim, dim)), rng.uniform(-bound, bound, (dim, dim))


def attend(
    queries: "Tensor", keys: "Tensor", values: "Tensor", joint: "Tensor", out: "Tensor",
    *, joint_bias: "Tensor | None" = None, out_bias: "Tensor | None" = None, there: "Tensor | None" = None,
    kept: "Tensor | None" = None,
) -> "Tensor":  # fmt: skip
    """Return what queries, (n, n_queries, dim), see of values at keys, both (n, n_keys, dim).

    Only keys that are `there`, (n, n_keys), are seen; `kept`, (n, heads, n_queries, n_keys), multiplies the shares.
    """
    torch = need("torch", "torch")
    F = torch.nn.functional
    biases = (None,) * 3 if joint_bias is None else joint_bias.chunk(3)
    heads = math.gcd(HEADS, queries.shape[2])
    parts = zip((queries, keys, values), joint.chunk(3), biases, strict=True)
    q, k, v = (F.linear(x, W, b).unflatten(2, (heads, -1)).transpose(1, 2) for x, W, b in parts)
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    if there is not None:
        scores = scores.masked_fill(~there[:, None, None], -math.inf)
    shares = torch.softmax(scores, dim=3)
    seen = (shares if kept is None else shares * kept) @ v
    value: Tensor = F.linear(seen.transpose(1, 2).flatten(2), out, out_bias)
    return value
