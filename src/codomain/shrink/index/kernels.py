"""Inner loops in machine code. Importing this needs numba; `signs` and `waterfill` hold the same maths in numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import need

Array = NDArray[Any]
numba = need("numba", "fast")
extending = need("numba.extending", "fast")
LANES = 64  # rows of a block: a constant, so that the compiler can lay out the loops over them
SAMPLED = 64  # least number of blocks that set a query's limit


def jit(function: Callable[..., Any]) -> Any:
    """Compile to run without the interpreter's lock; cached on disk where a folder for it can be written."""
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:
        return numba.njit(nogil=True)(function)


def _popcount(typing: Any, word: Any) -> Any:
    """Count the bits that are set; the processor has one instruction for it."""
    return numba.uint64(numba.uint64), lambda context, builder, signature, arguments: builder.ctpop(arguments[0])


popcount: Any = extending.intrinsic(_popcount)


@jit
def distances(codes: Array, block: int, bits: Array, out: Array) -> None:  # pragma: no cover
    """Count the differing bits of each row of a block; a word at a time, as they lie in memory."""
    for lane in range(LANES):
        out[lane] = popcount(codes[block, 0, lane] ^ bits[0])
    for word in range(1, len(bits)):
        for lane in range(LANES):
            out[lane] += popcount(codes[block, word, lane] ^ bits[word])


@jit
def insert(score: float, row: int, scores: Array, rows: Array) -> None:  # pragma: no cover
    """Insert a row in its place on a list, best first, equal scores by lower row."""
    at = len(scores) - 1
    if score < scores[at] or (score == scores[at] and row > rows[at]):
        return
    while at > 0 and (score > scores[at - 1] or (score == scores[at - 1] and row < rows[at - 1])):
        scores[at], rows[at] = scores[at - 1], rows[at - 1]
        at -= 1
    scores[at], rows[at] = score, row


@jit
def quantise(Q: Array, step: float, whole: Array) -> None:  # pragma: no cover
    """Write a query in whole numbers; float32 as numpy's."""
    for column in range(len(Q)):
        whole[column] = np.int16(np.rint(Q[column] / step))


@jit
def prepare(Q: Array, mean: Array, step: float, bits: Array, weights: Array, whole: Array) -> None:  # pragma: no cover
    """Write a query's signs, how far it lies from the mean (0 to 7) and its whole numbers; float32 as numpy's."""
    furthest = np.float32(1e-12)
    for column in range(len(Q)):
        furthest = max(furthest, np.abs(Q[column] - mean[column]))
    bits[:] = 0
    weights[:] = 0
    for column in range(len(Q)):
        word, place = column // 64, np.uint64(column % 64)
        away = np.uint64(np.rint(np.abs(Q[column] - mean[column]) * (np.float32(7) / furthest)))
        bits[word] |= np.uint64(Q[column] > mean[column]) << place
        for plane in range(3):
            weights[plane, word] |= ((away >> np.uint64(plane)) & np.uint64(1)) << place
    quantise(Q, step, whole)


@jit
def inner_product(row: Array, query: Array) -> np.int32:  # pragma: no cover
    """Inner product in whole numbers below 2 to the power of 31."""
    total = np.int32(0)
    for column in range(len(query)):
        total = np.int32(total + np.int32(row[column]) * np.int32(query[column]))
    return total


@jit
def smallest_limit(count: Array, wanted: int) -> int:  # pragma: no cover
    """Return the least value that at least `wanted` values do not exceed; `count` has how often each value occurs."""
    value, total = 0, count[0]
    while total < wanted:
        value += 1
        total += count[value]
    return value


@jit
def sift(
    codes: Array, used: Array, store: Array, scale: Array, mean: Array, Q: Array, steps: Array, wide: int, deep: int,
    scores: Array, rows: Array,
) -> None:  # fmt: skip  # pragma: no cover
    """All stages of a search by `Signs`, one query after the other; writes scores and rows."""
    blocks, words = codes.shape[:2]
    bits, weights, query = np.empty(words, np.uint64), np.empty((3, words), np.uint64), np.empty(Q.shape[1], np.int16)
    differ = np.empty(LANES, np.uint16)
    count, weighed = np.zeros(64 * words + 1, np.int64), np.zeros(7 * 64 * words + 1, np.int64)
    near, weight = np.empty(len(scale), np.int64), np.empty(len(scale), np.int64)
    for i in range(len(Q)):
        prepare(Q[i], mean, steps[i], bits, weights, query)
        # How many bits may differ for the wanted share of the sampled blocks' rows to pass.
        seen = 0
        count[:] = 0
        for block in range(0, blocks, max(blocks // SAMPLED, 1)):
            distances(codes, block, bits, differ)
            for lane in range(used[block]):
                count[differ[lane]] += 1
            seen += used[block]
        limit = smallest_limit(count, min(-(-wide * seen // len(scale)), seen))
        # Those rows, and the summed weights of their differing columns.
        passed = 0
        weighed[:] = 0
        for block in range(blocks):
            distances(codes, block, bits, differ)
            some = 0
            for lane in range(LANES):
                some += differ[lane] <= limit
            if some:
                for lane in range(used[block]):
                    if differ[lane] <= limit:
                        total = np.uint64(0)
                        for word in range(words):
                            apart = codes[block, word, lane] ^ bits[word]
                            total += (
                                popcount(apart & weights[0, word])
                                + (popcount(apart & weights[1, word]) << np.uint64(1))
                                + (popcount(apart & weights[2, word]) << np.uint64(2))
                            )
                        near[passed], weight[passed] = lane * blocks + block, total
                        weighed[total] += 1
                        passed += 1
        # The lightest of them, compared in whole numbers.
        limit = smallest_limit(weighed, min(deep, passed))
        for at in range(passed):
            if weight[at] <= limit:
                insert(inner_product(store[near[at]], query) * scale[near[at]], near[at], scores[i], rows[i])


@jit
def nearest(
    centres: Array, lengths: Array, most: float, Q: Array, steps: Array, near: Array
) -> None:  # pragma: no cover
    """Write steps and the lists that a query of `Lists` reads, nearest first."""
    query, best = np.empty(Q.shape[1], np.int16), np.empty(near.shape[1], np.float64)
    for i in range(len(Q)):
        furthest = np.float32(1e-12)
        for column in range(len(query)):
            furthest = max(furthest, np.abs(Q[i, column]))
        steps[i] = furthest / most
        quantise(Q[i], steps[i], query)
        best[:], near[i] = -np.inf, -1
        for part in range(len(centres)):
            insert(inner_product(centres[part], query) * lengths[part], part, best, near[i])


@jit
def rescore(
    store: Array, scale: Array, Q: Array, steps: Array, found: Array, scores: Array, rows: Array
) -> None:  # pragma: no cover
    """Compare the rows that faiss found for `Lists` in whole numbers, each once and in the order of memory."""
    query, best = np.empty(Q.shape[1], np.int16), np.empty(scores.shape[1], np.float64)
    for i in range(len(Q)):
        quantise(Q[i], steps[i], query)
        best[:], rows[i], last = -np.inf, -1, -1  # -1: nothing more was found
        for row in np.sort(found[i]):
            if row != last:
                insert(inner_product(store[row], query) * scale[row], row, best, rows[i])
                last = row
        for at in range(len(best)):
            scores[i, at] = best[at] * steps[i]


@jit
def decode(states: Array, at: int, words: Array, steps: Array, tables: Array, out: Array) -> int:  # pragma: no cover
    """Decode one row of each lane for `waterfill.Coder`; return the position in the stream."""
    bits, mask, half = np.uint32(12), np.uint32(4095), np.uint32(16)  # waterfill.BITS
    for column in range(out.shape[0]):
        for lane in range(out.shape[1]):
            state = states[lane]
            place = state & mask
            out[column, lane] = tables[column, place]
            step = steps[column, place]
            state = np.uint32((state >> bits) * (step >> half) + (step & np.uint32(0xFFFF)))
            if state < np.uint32(1 << 16):
                state = np.uint32((state << half) | np.uint32(words[at]))
                at += 1
            states[lane] = state
    return at


@jit
def keep_best(S: Array, start: int, scores: Array, rows: Array) -> None:  # pragma: no cover
    """Insert a block's scores, whose first row has the number `start`, into the lists."""
    for i in range(len(S)):
        for left in range(0, S.shape[1], LANES):
            right, better, bar = min(left + LANES, S.shape[1]), 0, scores[i, -1]
            for column in range(left, right):
                better += S[i, column] > bar
            if better:
                for column in range(left, right):
                    if S[i, column] > scores[i, -1]:
                        insert(S[i, column], start + column, scores[i], rows[i])
