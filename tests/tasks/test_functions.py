"""Functions to be found by what they do."""

import numpy as np

from codomain.data import frozen_functions
from codomain.tasks.functions import held_out_packages, reciprocal_ranks


def test_no_package_is_on_both_sides_and_each_source_keeps_its_summary():
    rows = frozen_functions().to_pylist()
    of = {(row["source"], row["summary"]): row["package"] for row in rows}
    learn, held = held_out_packages(0, (2000, 300))
    assert [len(part) for pair in (learn, held) for part in pair] == [2000, 2000, 300, 300]
    sides = [{of[pair] for pair in zip(*part, strict=True)} for part in (learn, held)]
    assert sides[0] & sides[1] == set()


def test_reciprocal_ranks_of_a_case_by_hand_count_equals_as_ahead():
    answers = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert reciprocal_ranks(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), answers).tolist() == [1, 1 / 2, 1 / 3]
