"""Synthesise rows of a class from its name and rows of similar classes, and train names on these too."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codomain.classify.shared.attention import HEADS, attend, first_attention
from codomain.classify.shared.names import adapt_names
from codomain.core import descend, need
from codomain.core.maths.means import class_means

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter

BATCH = 32  # rows in a step, as published
DROPOUT = 0.1  # of the generator's attention, which has four heads, as published
WARM_UP = 0.2  # share of the passes that train the generator alone, as published
WINDOW = 2, 9  # passes whose states make the teacher, at first and at last


def nearest_classes(vectors: NDArray[Any], others: NDArray[Any], n: int, *, same: bool = False) -> NDArray[np.intp]:
    """Return the numbers of the n others of highest product with each vector; not itself where they are the same."""
    products = vectors @ others.T
    if same:
        np.fill_diagonal(products, -np.inf)
    return np.asarray(np.argsort(-products, axis=1, kind="stable")[:, : min(n, len(others) - same)])


def first_generator(dim: int, dtype: Any, rng: np.random.RandomState) -> "list[Parameter]":
    """Draw the generator: queries, keys and values in one map, the map of the heads' sum, and two layers of names.

    Every part is a weight and a bias, drawn as torch draws those of its attention and its linear layers.
    """
    torch = need("torch", "torch")
    joint, out = first_attention(dim, rng)
    bound = 1 / math.sqrt(dim)
    linear = [rng.uniform(-bound, bound, shape) for _ in range(2) for shape in ((dim, dim), dim)]
    parts = [joint, np.zeros(3 * dim), out, np.zeros(dim), *linear]
    return [torch.nn.Parameter(torch.from_numpy(part.astype(dtype))) for part in parts]


def synthesise(
    generator: "Sequence[Tensor]", names: "Tensor", keys: "Tensor", values: "Tensor", kept: "Tensor | None" = None
) -> "Tensor":  # fmt: skip
    """Synthesise rows of length 1 for names, (n, n_names, dim), from rows and names of other classes.

    Attention from the names to the others' names, `keys`, over the others' rows, `values`, both (n, n_others, dim),
    is added to two layers of the names themselves. `kept`, (n, heads, n_names, n_others), multiplies the shares.
    """
    torch = need("torch", "torch")
    F = torch.nn.functional
    joint, joint_bias, out, out_bias, one, one_bias, two, two_bias = generator
    seen = attend(names, keys, values, joint, out, joint_bias=joint_bias, out_bias=out_bias, kept=kept)
    value: Tensor = F.normalize(seen + F.linear(F.relu(F.linear(names, one, one_bias)), two, two_bias), dim=2)
    return value


def mean_state(past: "list[Tensor]", progress: float) -> "Tensor":
    """Return the teacher: the mean of the states after the last passes, more of them as progress goes from 0 to 1."""
    torch = need("torch", "torch")
    low, high = WINDOW
    # The tiny number keeps a whole number of passes from being rounded down.
    length = int(low + (high - low) * (1 - np.cos(np.pi * progress)) / 2 + 1e-9)
    value: Tensor = torch.stack(past[-length:]).mean(dim=0)
    return value


def train(
    names: NDArray[Any], rows: NDArray[Any], of: NDArray[np.intp], new_names: NDArray[Any],
    *, n_neighbors: int, weight_of_teacher: float, temperature: float, learning_rate: float, epochs: int,
    rng: np.random.RandomState,
) -> "tuple[Tensor, list[Parameter], list[float]]":  # fmt: skip
    """Train the map of names and the generator; return both and the mean loss of each pass.

    `names` are those of the classes with rows, by number as in `of`; `new_names` those of the others.
    """
    torch = need("torch", "torch")
    F = torch.nn.functional
    W, R, N = (torch.from_numpy(part) for part in (names, rows, new_names))
    dim, dtype, n_known = rows.shape[1], rows.dtype, len(names)
    means = class_means(rows, of, n_known)
    near = torch.from_numpy(nearest_classes(means, means, n_neighbors, same=True))
    mean = torch.from_numpy(means)
    spread = torch.from_numpy(np.sqrt(class_means((rows - means[of]) ** 2, of, n_known)))
    target = torch.from_numpy(of)
    turn = torch.nn.Parameter(torch.zeros(dim, dim, dtype=R.dtype))
    generator = first_generator(dim, dtype, rng)
    past, teacher = [turn.detach().clone()], turn.detach().clone()
    warm_up = int(WARM_UP * epochs)
    passed = 0

    def make(of_names: "Tensor", keys: "Tensor", values: "Tensor") -> "Tensor":
        shape = len(of_names), math.gcd(HEADS, dim), of_names.shape[1], keys.shape[1]
        kept = np.asarray(rng.random_sample(shape) >= DROPOUT, dtype=dtype) / dtype.type(1 - DROPOUT)
        return synthesise(generator, of_names, keys, values, torch.from_numpy(kept))

    def logits(vectors: "Tensor", classes: "Tensor") -> "Tensor":
        return vectors.flatten(0, -2) @ classes.T / temperature

    def draw(classes: "Tensor") -> "Tensor":
        share = np.asarray(rng.random_sample(dim), dtype=dtype)
        return mean[classes] + torch.from_numpy(share) * spread[classes]

    def loss(batch: "Tensor") -> "Tensor":
        label, row = target[batch], R[batch]
        known, new = adapt_names(W, turn), adapt_names(N, turn)
        others = near[label]
        own, beside = known[label][:, None].detach(), known[others].detach()
        drawn = draw(others)
        made, made_beside = make(own, beside, drawn), make(beside, own, row[:, None])
        wanted = drawn if passed < warm_up else draw(others)
        total: Tensor = dim * (F.mse_loss(made[:, 0], row) + F.mse_loss(made_beside, wanted))
        if passed < warm_up:
            return total
        k = others.shape[1]
        for vectors in (row, made):
            total = total + 0.25 * F.cross_entropy(logits(vectors, known), label)
        total = total + 0.25 / k * F.cross_entropy(logits(made_beside, known), others.flatten())
        if len(new) > 1:
            closest = (own[:, 0] @ new.T).topk(min(n_neighbors, len(new)), dim=1).indices
            made_new = make(new[closest], own, row[:, None])
            total = total + 0.5 / closest.shape[1] * F.cross_entropy(logits(made_new, new), closest.flatten())
        every, wise = torch.cat([known, new]), adapt_names(torch.cat([W, N]), teacher)
        logs, wise_logs = (torch.log_softmax(logits(row, classes), dim=1) for classes in (every, wise))
        return total + weight_of_teacher * F.kl_div(logs, wise_logs, reduction="batchmean", log_target=True)

    def store_state(epoch: int, _: float) -> None:
        nonlocal teacher, passed
        passed = epoch + 1
        past.append(turn.detach().clone())
        teacher = mean_state(past, passed / epochs)
        del past[: -WINDOW[1]]

    losses = descend(
        loss, [turn, *generator], len(rows), epochs=epochs, batch=BATCH, learning_rate=learning_rate,
        random_state=rng, after_epoch=store_state,
    )  # fmt: skip
    return turn, generator, losses
