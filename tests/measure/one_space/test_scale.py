"""Very long and very short vectors: what does not depend on their length comes out the same to the last bit."""

import numpy as np
import pytest

import codomain
from codomain.core import unit_rows
from codomain.measure import health
from codomain.measure.one_space.sampled import Sampled
from codomain.measure.two_spaces.agreements import agreements
from codomain.workbench import search_space, study

X = np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32)
Y = (X @ np.random.default_rng(1).normal(size=(16, 12))).astype(np.float32)
POWERS = [66, 100, -73, -100]  # 7e19, 1e30, 1e-22, 8e-31


def values(measures):
    return {one.name: (one.value, one.low, one.high) for one in measures}


@pytest.mark.parametrize("power", POWERS)
def test_health_of_vectors_times_a_power_of_two_is_the_health_of_the_vectors(power):
    scaled, plain = (values(health(Z, random_state=0)) for Z in (np.ldexp(X, power), X))
    assert scaled.keys() == plain.keys()
    for name, value in plain.items():
        assert scaled[name] == pytest.approx(value), name


@pytest.mark.parametrize("power", POWERS)
def test_two_spaces_agree_as_much_whatever_their_scale(power):
    one, _ = agreements(np.ldexp(X, power), np.ldexp(Y, -power // 2), random_state=0)
    two, _ = agreements(X, Y, random_state=0)
    assert [measure.value for measure in one] == pytest.approx([measure.value for measure in two], rel=1e-5)


@pytest.mark.parametrize("power", POWERS)
def test_unit_rows_of_vectors_times_a_power_of_two_are_the_same_bits(power):
    assert unit_rows(np.ldexp(X, power)).tobytes() == unit_rows(X).tobytes()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_ordinary_rows_are_used_as_they_are(scale):
    rows = (X * scale).astype(np.float32)
    np.testing.assert_array_equal(Sampled(rows, None, None, 0, 1000, 1000).sample, rows)


@pytest.mark.parametrize("scale", [1e20, 1e-22])
def test_a_study_of_very_long_or_short_vectors_ends_and_finds_the_same_rows(tmp_path, monkeypatch, scale):
    monkeypatch.chdir(tmp_path)
    found = []
    for name, factor in (("plain", 1), ("scaled", scale)):
        np.save(f"{name}.npy", (X * np.float32(factor)).astype(np.float32))
        space = study(f"{name}.npy").space
        rank = next(one for one in space.part("health")["health.json"]["measures"] if one["name"] == "effective_rank")
        hits = search_space(codomain.open(space.path).path, like=["5"], k=5)
        found.append((round(rank["value"], 3), [hit.id for hit in hits]))
    assert found[0] == found[1]
