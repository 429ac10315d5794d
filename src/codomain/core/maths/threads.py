"""How many threads: those of the machine, or one where starting more costs more than the work."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and faiss, those that are imported, use one thread; after it they use as many as before.

    For matrices of a few hundred rows more threads take longer, and move the last digits of sums.
    """
    torch: Any = sys.modules.get("torch")
    faiss: Any = sys.modules.get("faiss")
    switches = [(torch.get_num_threads(), torch.set_num_threads)] if torch else []
    switches += [(faiss.omp_get_max_threads(), faiss.omp_set_num_threads)] if faiss else []
    for _, switch in switches:
        switch(1)
    try:
        yield
    finally:
        for before, switch in switches:
            switch(before)
