"""What the indices that compare in whole numbers share: rows in int8, steps of queries, threads, compiled loops."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from codomain.core.maths.rows import Floats

FEW = 16  # queries that are not worth the half second that starting the compiled loops takes


@cache
def compiled() -> Any:
    """Return the loops in machine code, or None where numba is not installed."""
    if find_spec("numba") is None:
        return None
    from codomain.shrink.index import kernels

    return kernels


def int8(rows: Floats) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Whole numbers from -127 to 127, and for each row what to multiply them by."""
    scale = (np.abs(rows).max(axis=1) / 127).astype(np.float16)
    whole = np.rint(rows / np.maximum(scale, 1e-7)[:, None].astype(np.float32))
    return np.clip(whole, -127, 127).astype(np.int8), scale


def largest(d: int) -> np.float32:
    """Largest whole number of a query, so that d products with int8 sum to less than 2 to the power of 31."""
    return np.float32(min(32767, (2**31 - 1) // (127 * d)))


@cache
def _threads(process: int, count: int) -> ThreadPoolExecutor:
    # OpenMP counts threads anew in every thread: in these, faiss works alone, and nobody else's number is touched.
    return ThreadPoolExecutor(count, "shrink", initializer=faiss.omp_set_num_threads, initargs=(1,))


def share_out(work: Callable[[slice], None], n: int) -> None:
    """Do the work for slices of n queries, on as many threads as faiss takes."""
    count = max(faiss.omp_get_max_threads(), 1)
    if count == 1:
        work(slice(0, n))
    elif n < 4 * count:  # one at a time faiss wakes no other thread, which takes longer than few queries
        for query in range(n):
            work(slice(query, query + 1))
    else:
        cuts = np.linspace(0, n, 4 * count + 1).astype(int).tolist()
        list(_threads(os.getpid(), count).map(lambda start, end: work(slice(start, end)), cuts, cuts[1:]))
