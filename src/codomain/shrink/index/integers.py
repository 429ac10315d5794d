"""What indices that compare in whole numbers share: rows in int8, query steps, threads, compiled loops."""

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

FEW = 16  # queries for which it is not worth half a second to start the compiled loops


@cache
def compiled_kernels() -> Any:
    """Return the module of loops in machine code, or None where numba is not installed."""
    if find_spec("numba") is None:
        return None
    from codomain.shrink.index import kernels

    return kernels


def to_int8(rows: Floats) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Return whole numbers from -127 to 127, and for each row the factor to multiply them by."""
    scale = (np.abs(rows).max(axis=1) / 127).astype(np.float16)
    whole = np.rint(rows / np.maximum(scale, 1e-7)[:, None].astype(np.float32))
    return np.clip(whole, -127, 127).astype(np.int8), scale


def largest_query_number(d: int) -> np.float32:
    """Return the largest whole number of a query: d products of it with int8 must sum to less than 2 to the 31."""
    return np.float32(min(32767, (2**31 - 1) // (127 * d)))


@cache
def _threads(process: int, count: int) -> ThreadPoolExecutor:
    # OpenMP has its own number of threads in every thread: in these faiss uses one, and no other thread's changes.
    return ThreadPoolExecutor(count, "shrink", initializer=faiss.omp_set_num_threads, initargs=(1,))


def share_out(work: Callable[[slice], None], n: int) -> None:
    """Do the work for slices of n queries, on as many threads as faiss uses."""
    count = max(faiss.omp_get_max_threads(), 1)
    if count == 1:
        work(slice(0, n))
    elif n < 4 * count:  # for one query faiss wakes no other thread, which would take longer than few queries
        for query in range(n):
            work(slice(query, query + 1))
    else:
        cuts = np.linspace(0, n, 4 * count + 1).astype(int).tolist()
        list(_threads(os.getpid(), count).map(lambda start, end: work(slice(start, end)), cuts, cuts[1:]))
