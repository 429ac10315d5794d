"""The rows of a space as they will be: read in any order, by any thread, as often as wanted."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np

from codomain.core import EncoderIdentity
from codomain.workbench.migrate.carry import Moved, Written


def moved(n=50):
    """Rows that a bridge doubles, doubted by their first number; rows 3 and 7 are known."""

    class Here:
        vectors = np.random.default_rng(0).standard_normal((n, 4)).astype(np.float32)

        def __len__(self):
            return n

    bridge = SimpleNamespace(transform=lambda old: 2 * old)
    doubt = SimpleNamespace(score=lambda old, new: np.abs(old[:, 0]))
    found = Moved(Here(), bridge, EncoderIdentity.given(4), doubt)
    found.overlay(np.array([3, 7]), np.ones((2, 4), np.float32))
    return found


def test_reading_changes_nothing():
    rows = moved()
    before = {name: np.array(getattr(rows, name)) for name in ("doubts", "true")}
    first = [rows[0:20], rows[10:50], rows.take_rows(np.array([3, 9]))]
    again = [rows[0:20], rows[10:50], rows.take_rows(np.array([3, 9]))]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(np.array_equal(getattr(rows, name), was) for name, was in before.items())


def test_rows_on_their_way_to_the_disk_leave_their_doubts_whatever_the_order():
    rows, passed = moved(), []
    written = Written(rows, passed.append)
    blocks = [slice(start, start + 8) for start in (40, 0, 16, 48, 8, 24, 32)]
    with ThreadPoolExecutor(4) as threads:
        found = np.concatenate(sorted(threads.map(written.__getitem__, blocks), key=len)[:1])
    assert len(found) == 2 and sum(passed) == len(written) == 50
    expected = np.abs(rows.space.vectors[:, 0])
    expected[[3, 7]] = 0
    np.testing.assert_array_equal(written.doubts, expected)
    np.testing.assert_array_equal(rows.read_doubts(), expected)
