"""Small spaces to try things on."""

import numpy as np

import codomain
from codomain.core import EncoderIdentity
from codomain.space import Roles

ENCODER = EncoderIdentity(name="toy", sha256="ab" * 32, dim=4)


def rows_of(first, count):
    numbers = range(first, first + count)
    return {
        "key": [f"k{number}" for number in numbers],
        "text": [f"text number {number}" for number in numbers],
        "year": [2000 + number % 7 for number in numbers],
    }


def vectors_of(first, count, dim=4):
    rng = [np.random.default_rng(number).normal(size=dim) for number in range(first, first + count)]
    return np.array(rng, np.float32).reshape(count, dim)


def make_space(path):
    roles = Roles(text="text", id="key")
    return codomain.write(path, rows_of(0, 20), vectors_of(0, 20), encoder=ENCODER, roles=roles)


def make_rich(path):
    """A space with several generations, shards and parts."""
    files = {"health.json": {"measures": [1, 2.5]}, "x.npy": np.arange(50)}
    space = make_space(path).put("health", files, made_from="a")
    space = space.append(rows_of(20, 7), vectors_of(20, 7), encoder=ENCODER)
    return space.put("index", {"index.bin": b"\x00" * 300, "n.json": [1]}, made_from="b")
