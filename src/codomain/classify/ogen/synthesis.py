"""Synthesise rows of a class from its name and rows of classes of similar names, and train on these too."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codomain.classify.shared.contrast import BATCH, DECAY, STEP
from codomain.core import descend, need

if TYPE_CHECKING:
    from torch import Tensor

WINDOW = 2, 9  # passes whose states make the teacher, at first and at last


def nearest_known_classes(names: NDArray[Any], known: NDArray[np.intp], n_neighbors: int) -> NDArray[np.intp]:
    """Return for each class the numbers of the known classes with the nearest names, without the class itself."""
    cosines = names @ names[known].T
    cosines[known, np.arange(len(known))] = -np.inf
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(n_neighbors, len(known) - 1)]
    return np.asarray(known[nearest])


def synthesise(generator: "list[Tensor]", names: "Tensor", near: NDArray[np.intp], drawn: "Tensor") -> "Tensor":
    """Synthesise rows, (n_classes, n, dim), from rows of each class's neighbours, (n_classes, n, n_neighbors, dim).

    The generator is a map of names, (dim, dim), and the logarithm of the factor of its products.
    """
    torch = need("torch", "torch")
    turn, sharpness = generator
    mapped = names + names @ turn
    weights = torch.softmax(sharpness.exp() * (mapped[near] @ mapped[:, :, None])[..., 0], dim=1)
    added = torch.einsum("ck,cnkd->cnd", weights, drawn - names[near][:, None])
    value: Tensor = torch.nn.functional.normalize(names[:, None] + added, dim=2)
    return value


def mean_state(past: "list[list[Tensor]]", progress: float) -> "list[Tensor]":
    """Return the teacher: the mean of the states after the last passes, more of them as progress goes from 0 to 1."""
    torch = need("torch", "torch")
    low, high = WINDOW
    window = past[-round(low + (high - low) * (1 - np.cos(np.pi * progress)) / 2) :]
    return [torch.stack(part).mean(dim=0) for part in zip(*window, strict=True)]


def train(
    names: NDArray[Any], near: NDArray[np.intp], seen: NDArray[Any], of: NDArray[np.intp],
    *, n_synthetic: int, weight_of_teacher: float, temperature: float, epochs: int, rng: np.random.RandomState,
) -> "tuple[list[Tensor], list[float]]":  # fmt: skip
    """Train the adapters of rows and of names and both parts of the generator; return these and the losses."""
    torch = need("torch", "torch")
    F = torch.nn.functional
    W, R = torch.from_numpy(names), torch.from_numpy(seen)
    n_classes, dim = names.shape
    order, counts = np.argsort(of, kind="stable"), np.bincount(of, minlength=n_classes)
    starts, known = np.cumsum(counts) - counts, np.flatnonzero(counts)
    sharpness = torch.tensor(-np.log(temperature), dtype=R.dtype)
    states = [torch.nn.Parameter(torch.zeros(dim, dim, dtype=R.dtype)) for _ in range(3)]
    states.append(torch.nn.Parameter(sharpness))
    teacher = [state.detach().clone() for state in states]
    past = [list(teacher)]
    labels = np.repeat(np.arange(n_classes), n_synthetic)

    def draw(classes: NDArray[np.intp]) -> "Tensor":
        value: Tensor = R[torch.from_numpy(order[starts[classes] + rng.randint(counts[classes])])]
        return value

    def run(model: "list[Tensor]", rows: "Tensor", drawn: "Tensor") -> "tuple[Tensor, Tensor]":
        made = synthesise(model[2:], W, near, drawn)
        both = torch.cat([rows, made.reshape(-1, dim)])
        both, texts = (F.normalize(v + v @ turn, dim=1) for v, turn in zip((both, W), model[:2], strict=True))
        return torch.log_softmax(both @ texts.T / temperature, dim=1), made

    def loss(batch: "Tensor") -> "Tensor":
        drawn = draw(np.broadcast_to(near[:, None], (n_classes, n_synthetic, near.shape[1])))
        logs, made = run(states, R[batch], drawn)
        truth, n = torch.from_numpy(np.concatenate([of[batch.numpy()], labels])), len(batch)
        total: Tensor = F.nll_loss(logs[:n], truth[:n])
        if n_synthetic:
            own = draw(np.broadcast_to(known[:, None], (len(known), n_synthetic)))
            total = total + F.nll_loss(logs[n:], truth[n:]) + 1 - (made[known] * own).sum(dim=2).mean()
        with torch.no_grad():
            teacher_logs, _ = run(teacher, R[batch], drawn)
        return total + weight_of_teacher * F.kl_div(logs, teacher_logs, reduction="batchmean", log_target=True)

    def store_state(epoch: int, _: float) -> None:
        past.append([state.detach().clone() for state in states])
        teacher[:] = mean_state(past, (epoch + 1) / epochs)
        del past[: -WINDOW[1]]

    losses = descend(
        loss, states, len(seen), epochs=epochs, batch=BATCH, learning_rate=STEP, weight_decay=DECAY,
        random_state=rng, after_epoch=store_state,
    )  # fmt: skip
    return states, losses
