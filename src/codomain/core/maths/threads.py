"""Number of threads: all cores, or one where starting more takes longer than the work."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, local
from typing import Any


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Usual:
    """Torch's number of threads outside of `one_thread`; while a thread is inside, a new one would read 1."""

    inside, threads, lock = 0, 0, Lock()


_MINE = local()  # whether this thread is inside


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and faiss, if imported, use one thread; afterwards they use as many as before.

    For matrices of a few hundred rows more threads take longer, and change the last digits of sums. Several threads may
    be inside at once: each has its own number, but torch gives a new thread the number that was set last.
    """
    if getattr(_MINE, "inside", False):
        yield
        return
    torch: Any = sys.modules.get("torch")
    faiss: Any = sys.modules.get("faiss")
    before = faiss.omp_get_max_threads() if faiss else 0  # OpenMP's number is this thread's own
    with _Usual.lock:
        if torch:
            found = torch.get_num_threads()  # must be read first: a thread that has not read it forgets what it sets
            _Usual.threads = _Usual.threads if _Usual.inside else found
            torch.set_num_threads(1)
        _Usual.inside += 1
    _MINE.inside = True
    try:
        if faiss:
            faiss.omp_set_num_threads(1)
        yield
    finally:
        _MINE.inside = False
        with _Usual.lock:
            _Usual.inside -= 1
            if torch:
                torch.set_num_threads(_Usual.threads)
        if faiss:
            faiss.omp_set_num_threads(before)
