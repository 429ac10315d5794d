"""Learn what a recipe needs from some rows: rotations, codebooks, centres. Nothing is encoded yet."""

from contextlib import nullcontext
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from codomain.core import UserError, one_thread
from codomain.core.maths.rows import Floats, Ints
from codomain.shrink.index.flat import FaissIndex
from codomain.shrink.index.kinds import Index
from codomain.shrink.index.lists import Lists
from codomain.shrink.index.signs import Signs
from codomain.shrink.index.slots import slots_of
from codomain.shrink.index.spec import FILL, PQ, RABITQ, Spec
from codomain.shrink.index.waterfill import Waterfill

ROUNDS = 10  # of OPQ and ITQ: faiss does 50, which takes five times as long
TURN_ROWS = 5_000  # rows from which OPQ learns its rotation
_KINDS = {
    "f16": faiss.ScalarQuantizer.QT_fp16,
    "int8": faiss.ScalarQuantizer.QT_8bit,
    "int6": faiss.ScalarQuantizer.QT_6bit,
    "int4": faiss.ScalarQuantizer.QT_4bit,
}
Axes = tuple[NDArray[np.float64], NDArray[np.float64]]


def learn(recipe: Spec, sample: Floats, rng: np.random.Generator, axes: Axes | None = None) -> Index:
    """Return the index of a recipe, trained on rows of length 1 and empty; `axes` is from `axes_of`."""
    d, pq = sample.shape[1], PQ.fullmatch(recipe.code)
    width, parts = recipe.width or d, int(pq[1]) if pq else 1
    directions = {"pca": width, "opq": d, "itq": d}.get(recipe.project, 0)  # with fewer rows, faiss's OPQ crashes
    least = max(2 ** int(pq[2]) if pq else 2, directions, recipe.lists)
    if width > d or parts > width:
        raise UserError(
            f"{recipe.name} needs at least {max(width, parts)} columns.", needed="no more than the vectors have",
            todo=f"choose a recipe for {d} columns",
        )  # fmt: skip
    if len(sample) < least:
        raise UserError(f"{recipe.name} learns from at least {least} rows and got {len(sample)}.", todo="add rows")
    return _index(recipe, sample, rng, axes)


def axes_of(sample: Floats) -> Axes:
    """Return weights (largest first) and directions, one a row, of the uncentred second moment of the sample.

    There are as many as rows or columns, whichever are fewer, and only that side is squared.
    """
    n, d = sample.shape
    if d <= n:
        weight, directions = np.linalg.eigh((sample.T @ sample).astype(np.float64))
        return weight[::-1], directions.T[::-1]
    rows = sample.astype(np.float64)
    weight, sides = np.linalg.eigh(rows @ rows.T)
    weight, sides = np.maximum(weight[::-1], 0), sides[:, ::-1]
    rank = int((weight > weight[0] * 1e-10).sum())
    held = (sides[:, :rank] / np.sqrt(weight[:rank])).T @ rows
    # Rows that are alike leave directions open: any that stand upright on those found will do.
    more = np.random.default_rng(0).standard_normal((n - rank, d))
    more -= (more @ held.T) @ held
    return weight, np.concatenate([held, np.linalg.qr(more.T)[0].T])


def _index(recipe: Spec, sample: Floats, rng: np.random.Generator, axes: Axes | None) -> Index:
    """Return the index of a recipe, trained and empty."""
    d, pq, rabitq = sample.shape[1], PQ.fullmatch(recipe.code), RABITQ.fullmatch(recipe.code)
    if recipe.code == "signs":
        sifted = Signs(d, recipe.depth)
        sifted.train(sample)
        return sifted
    if recipe.lists and pq:
        listed = Lists(d, int(pq[1]), recipe.depth, recipe.lists, recipe.probe)
        listed.train(sample, int(rng.integers(2**31)))
        return listed
    if fill := FILL.fullmatch(recipe.code):
        filled = Waterfill(d, int(fill[1]))
        filled.train(sample, axes or axes_of(sample))
        return filled
    width, steps = _steps(recipe, sample, rng, axes, int(pq[1]) if pq else 1)
    index = _coder(recipe.code, width, pq, rabitq)
    for step in reversed(steps):
        index = faiss.IndexPreTransform(step, index)
    if recipe.rescore != "none":
        index = faiss.IndexRefine(index, _coder(recipe.rescore, d, None, None))
        index.k_factor = float(recipe.depth)
    # Starting threads for each of many small steps takes up to 25 times as long as the work.
    with one_thread() if pq or recipe.project == "itq" else nullcontext():
        index.train(sample)
    return FaissIndex(index)


def _steps(
    recipe: Spec, sample: Floats, rng: np.random.Generator, axes: Axes | None, parts: int
) -> tuple[int, list[Any]]:
    """Return the number of columns that are coded, and the transforms before the code."""
    d, width = sample.shape[1], recipe.width or sample.shape[1]
    size, slots = slots_of(width, parts)
    wide = parts * size
    if recipe.project == "opq":
        turn = faiss.OPQMatrix(d, parts, wide)
        turn.niter, turn.max_train_points = ROUNDS, TURN_ROWS
        turn.pq = faiss.ProductQuantizer(wide, parts, 4)
        turn.pq.cp.min_points_per_centroid = 1
        return wide, [turn]
    if recipe.project == "itq":
        signed = faiss.ITQTransform(d, width, True)
        signed.itq.max_iter = ROUNDS
        return width, [signed]
    steps: list[Any] = []
    if recipe.project == "pca":
        weight, keep = (part[:width] for part in axes or axes_of(sample))
        A = np.zeros((wide, d))
        if PQ.fullmatch(recipe.code):
            A[_balance(weight, parts, size)] = keep
        else:  # a rotation within the kept space changes no inner product and gives every column the same spread
            A[slots] = dct(keep * rng.choice([-1.0, 1.0], (width, 1)), axis=0, norm="ortho")
        step: Any = faiss.LinearTransform(d, wide, False)
        faiss.copy_array_to_vector(A.astype(np.float32).ravel(), step.A)
        step.is_trained = True
        steps.append(step)
    elif wide != d:
        step = faiss.RemapDimensionsTransform(d, wide)
        places = np.full(wide, -1, dtype=np.int32)
        places[slots] = np.arange(width)
        faiss.copy_array_to_vector(places, step.map)
        steps.append(step)
    if recipe.project == "truncate":
        steps.append(faiss.NormalizationTransform(wide, 2.0))
    return wide, steps


def _coder(code: str, width: int, pq: Any, rabitq: Any) -> Any:
    """Return the untrained faiss index of a code."""
    dot = faiss.METRIC_INNER_PRODUCT
    if code == "f32":
        return faiss.IndexFlatIP(width)
    if code in _KINDS:
        return faiss.IndexScalarQuantizer(width, _KINDS[code], dot)
    if rabitq:
        return faiss.IndexRaBitQFastScan(width, dot, 32, int(rabitq[1]))
    if pq:
        kind = faiss.IndexPQFastScan if pq[2] == "4" else faiss.IndexPQ
        index: Any = kind(width, int(pq[1]), int(pq[2]), dot)
        index.pq.cp.min_points_per_centroid = 1  # fewer are allowed, and faiss should not print a warning
        return index
    index = faiss.IndexLSH(width, width, False, True)  # signs relative to each column's median, learned from the sample
    index.metric_type = dot  # it ignores the metric, but a refining index needs the same one in both parts
    return index


def _balance(weight: Any, parts: int, size: int) -> Ints:
    """Assign directions, heaviest first, to parts so that every part has about the same product of weights."""
    load, count = np.zeros(parts), np.zeros(parts, dtype=np.int64)
    slots = np.empty(len(weight), dtype=np.int64)
    floor = max(float(weight[0]), 1e-30) * 1e-9
    for direction, gain in enumerate(np.log(np.maximum(weight, floor) / floor)):
        part = int(np.where(count < size, load, np.inf).argmin())
        slots[direction] = part * size + count[part]
        load[part] += gain
        count[part] += 1
    return slots
