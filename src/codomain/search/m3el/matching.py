"""Six similarities of mentions and entities with two kinds of features each, and one of their losses."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, check_consistent_length

from codomain.core import UserError, need, unit_rows

FOCUS = 0.2  # temperature of the attention
KINDS = ("text", "image")


def as_tensors(X: NDArray[Any], Y: Any, images: Any, other_images: Any) -> dict[str, Any]:
    """Return tensors of shape (n, 1 + parts, width) with rows of length 1, named like their heads."""
    torch: Any = need("torch", "torch")
    Y = check_array(Y, dtype=(np.float64, np.float32), ensure_2d=False, allow_nd=True)
    parts = {"mention_text": X, "entity_text": Y}
    for name, part, text in (("mention_image", images, X), ("entity_image", other_images, Y)):
        parts[name] = text if part is None else check_array(part, dtype=(np.float64, np.float32), allow_nd=True)
        check_consistent_length(parts[name], text)
    shaped = {}
    for name, part in parts.items():
        part = part.reshape(len(part), -1, 1) if part.ndim == 1 else part
        part = part[:, None] if part.ndim == 2 else part
        if part.ndim != 3:
            raise UserError(f"An array of shape {part.shape}.", needed="(rows, features) or (rows, parts, features)")
        part = np.concatenate([part, part], axis=1) if part.shape[1] == 1 else part
        rows = unit_rows(part.reshape(-1, part.shape[2])).reshape(part.shape)
        shaped[name] = torch.from_numpy(np.ascontiguousarray(rows, np.float32))
    return shaped


def start_weights(given: dict[str, Any], k: int, random: np.random.RandomState) -> dict[str, NDArray[np.float32]]:
    """Draw heads of k columns for each kind and side, those of one width equal; attention starts as the identity."""
    shared = random.standard_normal((max(part.shape[2] for part in given.values()), k)) / np.sqrt(k)
    start = {name: shared[: part.shape[2]] for name, part in given.items()}
    for kind in KINDS:
        start |= {f"{kind}_{layer}": np.eye(k) for layer in ("query", "key", "value", "whole")}
    start["gate"] = np.full((k, 1), 1 / k)
    return {name: part.astype(np.float32) for name, part in start.items()}


def apply_heads(weights: dict[str, Any], given: dict[str, Any]) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return mentions and entities in the common space, (text, image) each, all rows of length 1."""
    torch: Any = need("torch", "torch")
    unit = {name: torch.nn.functional.normalize(part @ weights[name], dim=2) for name, part in given.items()}
    return (unit["mention_text"], unit["mention_image"]), (unit["entity_text"], unit["entity_image"])


def attend_across(weights: dict[str, Any], one: Any, other: Any) -> Any:
    """Return one kind's whole plus its attention over the other kind's parts, shape (n, n_components)."""
    torch: Any = need("torch", "torch")
    whole, parts = one[:, 0], other[:, 1:]
    scores = torch.einsum("nd,npd->np", whole, parts) / FOCUS
    context = torch.einsum("np,npd->nd", scores.softmax(dim=1), parts)
    gate = torch.tanh(whole @ weights["gate"])
    return torch.nn.functional.normalize(gate * whole + context, dim=1)


def levels(weights: dict[str, Any], mentions: tuple[Any, Any], entities: tuple[Any, Any]) -> Any:
    """Return six cosines of every mention with every entity, shape (6, n_mentions, n_entities).

    Of the text, then of the image: whole with whole, and the entity's whole with the mention's parts as the entity's
    parts attend to them. Then text seen through image, and image through text.
    """
    torch: Any = need("torch", "torch")
    unit = torch.nn.functional.normalize
    found = []
    for kind, mention, entity in zip(KINDS, mentions, entities, strict=True):
        found.append(mention[:, 0] @ entity[:, 0].T)
        queries, keys, values = (
            parts[:, 1:] @ weights[f"{kind}_{layer}"]
            for parts, layer in ((entity, "query"), (mention, "key"), (mention, "value"))
        )
        scores = torch.einsum("eqd,mpd->meqp", queries, keys) / FOCUS
        context = torch.einsum("meqp,mpd->med", scores.softmax(dim=3), values)  # added up over the entity's parts
        whole = unit(entity[:, 0] @ weights[f"{kind}_whole"], dim=1)
        found.append((unit(context, dim=2) * whole).sum(dim=2))
    for first in (0, 1):
        sides = [attend_across(weights, side[first], side[1 - first]) for side in (mentions, entities)]
        found.append(sides[0] @ sides[1].T)
    return torch.stack(found)


def info_nce_with_own_side(one: Any, other: Any, temperature: float) -> Any:
    """Return InfoNCE in both directions, in which the other rows of the same side are negatives too."""
    torch: Any = need("torch", "torch")
    right, own = torch.arange(len(one)), torch.eye(len(one), dtype=torch.bool)
    total = 0.0
    for A, B in ((one, other), (other, one)):
        scores = torch.cat([A @ B.T, (A @ A.T).masked_fill(own, -torch.inf)], dim=1)
        total = total + torch.nn.functional.cross_entropy(scores / temperature, right) / 2
    return total
