"""Time two ways of doing one thing in turn, so that a machine whose speed drifts treats both alike."""

import statistics
import time
from collections.abc import Callable
from typing import Any


def paired(name: str, ours: Callable[[], Any], peer: Callable[[], Any], *, peer_name: str, rounds: int = 5) -> float:
    """Print and return the ratio of medians, peer over ours: above 1, ours is faster."""
    ours(), peer()
    taken: dict[str, list[float]] = {"ours": [], "peer": []}
    for _ in range(rounds):
        for who, work in (("ours", ours), ("peer", peer)):
            began = time.perf_counter()
            work()
            taken[who].append(time.perf_counter() - began)
    mine, theirs = statistics.median(taken["ours"]), statistics.median(taken["peer"])
    print(f"{name:<44} ours {mine:9.4f} s   {peer_name:<28} {theirs:9.4f} s   ratio {theirs / mine:7.2f}", flush=True)
    return theirs / mine
