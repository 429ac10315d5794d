"""An encoder that takes its time, so that a test can end its process in the middle: test_encode_rows runs this file."""

import hashlib
import sys
import time
from pathlib import Path

import numpy as np

from codomain.core import EncoderIdentity


class Counting:
    """A vector per text from the text's hash; remembers what it was asked."""

    def __init__(self, dim: int = 8, batch_rows: int = 16, name: str = "counting", seconds: float = 0.0) -> None:
        self.identity = EncoderIdentity(name, "", dim)
        self.batch_rows, self.seconds = batch_rows, seconds
        self.asked: list[str] = []

    def encode(self, texts, *, query=False):
        self.asked += texts
        time.sleep(self.seconds)
        return np.array([self.vector(text) for text in texts], dtype=np.float32)

    def vector(self, text: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return np.random.default_rng(seed).standard_normal(self.identity.dim).astype(np.float32)


TEXTS = [f"text number {n % 400}" for n in range(500)]

if __name__ == "__main__":
    from codomain.encode import encode_rows

    encoder = Counting(seconds=0.02)
    print("ready", flush=True)
    encode_rows(encoder, TEXTS, Path(sys.argv[1]))
    print("done", flush=True)
