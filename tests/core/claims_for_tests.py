"""Claims with known outcomes, in a module that another process can import."""

import os
import subprocess
import sys
import time
from types import SimpleNamespace

from codomain.core import Trial, claim

METHOD = SimpleNamespace()


def make(seconds=20.0, **more):
    words = {"unit": "points", "margin": 0.5, "says": "It works.", "floor": "nothing", "peer": "luck"}
    words |= {"premise": "there is something to gain", "least": 0.5, "rows": "fresh"}
    return claim(METHOD, seconds=seconds, **words, **more)


@make()
def good(seed: int) -> Trial:
    print("a claim that prints does not disturb its result")
    return Trial(ours=seed + 1.0, floor=float(seed), peer=0.25, chance=-1.0, premise=2.0)


GOOD = METHOD.claim


@make(needs=["wordnet-base", "torch"])
def in_need(seed: int) -> Trial:
    return Trial(1.0, 0.0, 0.0, 0.0, 1.0)


IN_NEED = METHOD.claim


@make()
def broken(seed: int) -> Trial:
    raise RuntimeError(f"no data for seed {seed}")


BROKEN = METHOD.claim


@make()
def infinite(seed: int) -> Trial:
    return Trial(float("nan"), 0, 0, 0, 1)


INFINITE = METHOD.claim


@make(seconds=0.2)
def endless(seed: int) -> Trial:
    if seed == 1:
        # A helper that inherits the output and would keep the runner waiting for it.
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open(os.environ["CLAIM_PID"], "w") as file:
            file.write(str(os.getpid()))
        time.sleep(600)
    return Trial(1.0, 0.0, 0.0, 0.0, 1.0)


ENDLESS = METHOD.claim


@make(seconds=0.5)
def busy(seed: int) -> Trial:
    while seed == 1:
        pass
    return Trial(1.0, 0.0, 0.0, 0.0, 1.0)


BUSY = METHOD.claim
