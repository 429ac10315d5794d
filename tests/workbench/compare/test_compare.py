"""Two spaces are called the same, related or unrelated as they are, and what differs is what was made to differ."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import ortho_group

import codomain
from codomain.core import EncoderIdentity, UserError
from codomain.measure import Measure, agreements
from codomain.workbench import compare_spaces
from codomain.workbench.compare.differ import group_changes, row_changes
from codomain.workbench.compare.join import Picked
from codomain.workbench.compare.shown import Compared
from codomain.workbench.compare.verdict import judge
from conftest import Run


def gaussian(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def blobs(n: int = 240, groups: int = 6, d: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % groups
    return (6 * np.eye(d)[label] + rng.standard_normal((n, d))).astype(np.float32), label


def printed(found: Compared) -> str:
    console = Console(width=200, no_color=True, file=io.StringIO())
    console.print(found)
    return console.file.getvalue()  # type: ignore[attr-defined]


def turn(X: np.ndarray, seed: int = 0) -> np.ndarray:
    return (X @ ortho_group.rvs(X.shape[1], random_state=seed)).astype(np.float32)


def test_a_turned_and_enlarged_copy_is_the_same_space() -> None:
    X = gaussian(300, 12)
    found = compare_spaces(X, 3 * turn(X))
    assert found.verdict == "the same space up to a rotation"
    assert (found.changes.overlap > 0.8).all()
    assert found.changes.drift == pytest.approx(0, abs=1e-3)


def test_a_shifted_copy_is_the_same_and_the_shift_is_named() -> None:
    X = gaussian(300, 12)
    found = compare_spaces(X, turn(X) + 1)
    assert found.verdict == "the same space up to a rotation and a shift"
    assert "once both means are taken off" in found.why


@pytest.mark.parametrize("seed", range(5))
def test_unrelated_spaces_are_no_more_alike_than_chance(seed: int) -> None:
    assert compare_spaces(gaussian(200, 64, seed), gaussian(200, 48, 99 + seed)).verdict == "no more alike than chance"


def test_a_noisy_copy_is_related_and_its_measures_are_those_of_the_room() -> None:
    X = gaussian(400, 10)
    Y = X + gaussian(400, 10, 1)
    found = compare_spaces(X, Y)
    assert found.verdict == "related"
    by = {measure.name: measure for measure in found.measures}
    wanted = {measure.name: measure for measure in agreements(X, Y)[0]}
    assert by["debiased_cka"] == wanted["debiased_cka"] and by["pwcca"] == wanted["pwcca"]
    assert by["mutual_neighbors"].value == pytest.approx(found.changes.overlap.mean())


def test_rows_are_paired_by_id_whatever_their_order(tmp_path: Path) -> None:
    X = gaussian(200, 8)
    Y = X + 0.3 * gaussian(200, 8, 1)
    ids = [f"row-{i}" for i in range(200)]
    order = np.random.default_rng(0).permutation(200)[:180]
    one = codomain.write(tmp_path / "one.space", {"name": ids}, X, roles=codomain.space.Roles(None, None, "name"))
    two = codomain.write(
        tmp_path / "two.space", {"name": [ids[i] for i in order], "note": ["x"] * 180}, Y[order],
        roles=codomain.space.Roles(None, None, "name"),
    )  # fmt: skip
    found, plain = compare_spaces(one, two.path), compare_spaces(X[np.sort(order)], Y[np.sort(order)])
    assert [m.value for m in found.measures] == pytest.approx([m.value for m in plain.measures], rel=1e-5)
    assert found.ids == [ids[i] for i in np.sort(order)]
    assert (found.pairing.only_a, found.pairing.only_b, found.pairing.reordered) == (20, 0, True)
    assert "180 rows paired by id" in found.notes and "20 only in one.space" in found.notes
    assert any("another order" in note for note in found.notes)
    assert not any("another order" in note for note in compare_spaces(one, one).notes)


def test_a_row_that_was_moved_comes_first_with_both_its_lists() -> None:
    X, label = blobs()
    Y = X.copy()
    Y[7] = Y[label == 3].mean(axis=0)  # row 7 is of blob 1
    found = compare_spaces(X, Y)
    assert found.changes.order[0] == 7 and found.changes.overlap[7] == 0
    record = found.row(7)
    unit = [Z / np.linalg.norm(Z, axis=1, keepdims=True) for Z in (X.astype(np.float64), Y.astype(np.float64))]
    for side, U in zip(("nearest_in_a", "nearest_in_b"), unit, strict=True):
        cosines = U @ U[7]
        cosines[7] = -9
        assert [int(near["id"]) for near in record[side]] == np.argsort(-cosines)[:10].tolist()
    assert all(label[int(near["id"])] == 3 for near in record["nearest_in_b"])
    assert record["drift"] > 0.5


def test_drift_follows_its_definition() -> None:
    A, B = gaussian(40, 5), gaussian(40, 5, 1)
    lists = [np.argsort(-(U @ U.T) + 9 * np.eye(40), axis=1)[:, :4] for U in map(unit, (A, B))]
    found = row_changes(A, B, *lists)
    wanted = np.zeros(40)
    for Z, own, other in ((unit(A), *lists), (unit(B), *lists[::-1])):
        usual = np.mean([Z[i] @ Z[j] for i in range(40) for j in range(40) if i != j])
        for i in range(40):
            near = np.mean([Z[i] @ Z[j] for j in own[i]])
            far = np.mean([Z[i] @ Z[j] for j in other[i]])
            wanted[i] += np.clip((near - far) / (near - usual), 0, 2) / 2
    assert found.drift == pytest.approx(wanted, abs=1e-4)
    shares = [len(set(one) & set(two)) / 4 for one, two in zip(*lists, strict=True)]
    assert found.overlap.tolist() == shares
    keys = list(zip(found.overlap[found.order], -found.drift[found.order], strict=True))
    assert keys == sorted(keys)


def unit(X: np.ndarray) -> np.ndarray:
    X = X.astype(np.float64)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def test_groups_are_kept_split_merged_or_scattered_as_they_were_made() -> None:
    a = np.repeat([0, 1, 2, 3, 4, 5], [40, 40, 20, 20, 60, 5])
    b = np.concatenate([
        np.repeat(0, 40), np.repeat([1, 2], 20), np.repeat(3, 40), np.repeat(np.arange(4, 10), 10), np.repeat(-1, 5),
    ])  # fmt: skip
    overlap = np.repeat([1.0, 0.8, 0.5, 0.4, 0.1, 0.0], [40, 40, 20, 20, 60, 5])
    names = {i: f"g{i}" for i in range(10)}
    found = {change.name: change for change in group_changes(a, b, names, names, overlap)}
    fates = {name: change.fate for name, change in found.items()}
    assert fates == {"g0": "kept", "g1": "split", "g2": "merged", "g3": "merged", "g4": "scattered"}  # g5 is too small
    assert list(found) == ["g4", "g3", "g2", "g1", "g0"]  # fewest neighbours kept first
    assert found["g1"].into == [("g1", 0.5), ("g2", 0.5)]
    assert found["g4"].into == []
    gone = group_changes(np.zeros(20, int), np.full(20, -1), names, names, np.linspace(0, 1, 20))[0]
    assert gone.fate == "scattered" and gone.into == [("no group", 1.0)]
    assert gone.low < gone.overlap < gone.high


def test_blobs_that_were_merged_are_said_to_be() -> None:
    X, label = blobs(n=600)
    Y = X.copy()
    Y[label == 1] += 6 * (np.eye(16)[0] - np.eye(16)[1])  # blob 1 comes to lie on blob 0
    found = compare_spaces(X, Y)
    fates = sorted(change.fate for change in found.group_changes)
    assert fates.count("kept") == 4 and fates.count("merged") == 2
    said = printed(found)
    assert "merged" in said and "Groups of A that differ most" in said


def test_what_a_measure_needs_is_refused_below_it() -> None:
    found = compare_spaces(gaussian(100, 40), gaussian(100, 40))
    assert {"svcca", "pwcca"} <= set(found.refused)
    assert "from 800 pairs on, not at 100" in found.refused["svcca"]
    assert found.verdict == "the same space up to a rotation"
    assert not {measure.name for measure in found.measures} & set(found.refused)
    with pytest.raises(UserError, match="at least 20"):
        compare_spaces(gaussian(19, 4), gaussian(19, 4))


def test_many_rows_are_compared_on_a_sample_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["codomain.workbench.compare.run"], "MOST_ROWS", 120)
    X = gaussian(500, 8)
    found = compare_spaces(X, X[:, ::-1])
    assert len(found.rows) == 120 and found.changes.overlap.shape == (120,)
    assert found.lists[0].max() < 120
    assert any("120 pairs drawn at random" in note for note in found.notes)
    assert "over 500 rows" in next(m for m in found.measures if m.name == "debiased_cka").how
    assert found.ids[3] == str(found.rows[3])


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [
        (gaussian(30, 4), gaussian(31, 4), "30 rows and B has 31"),
        (gaussian(30, 4)[:, 0], gaussian(30, 4), "two dimensions"),
        (gaussian(30, 4), np.full((30, 4), np.nan), "B holds a value that is not finite"),
        (np.ones((30, 4)), gaussian(30, 4), "All rows of A are equal"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(one: np.ndarray, two: np.ndarray, words: str) -> None:
    with pytest.raises(UserError, match=words):
        compare_spaces(one, two)


def test_ids_that_never_meet_are_refused_with_some_of_them(tmp_path: Path) -> None:
    roles = codomain.space.Roles(None, None, "id")
    one = codomain.write(tmp_path / "a.space", {"id": list("abcdefghijklmnopqrstuvwxyz")}, gaussian(26, 4), roles=roles)
    two = codomain.write(tmp_path / "b.space", {"id": list(range(26))}, gaussian(26, 4), roles=roles)
    with pytest.raises(UserError, match=r"No id of a.space \(a, b, c, ...\) is an id of b.space \(0, 1, 2, ...\)"):
        compare_spaces(one, two)


def test_files_of_vectors_are_paired_by_row_number_and_that_is_said(tmp_path: Path) -> None:
    X = gaussian(60, 4)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", 2 * X)
    found = compare_spaces(tmp_path / "x.npy", tmp_path / "y.npy")
    assert found.A.name == "x.npy" and found.verdict == "the same space up to a rotation"
    assert any("nobody has checked" in note for note in found.notes)
    (tmp_path / "words.txt").write_text("one line of text\nanother line of text\n")
    with pytest.raises(UserError, match=r"(?s)holds no vectors.*codomain study"):
        compare_spaces(tmp_path / "words.txt", tmp_path / "y.npy")


def test_encoders_other_texts_and_still_features_are_said(tmp_path: Path) -> None:
    def space(name: str, encoder: EncoderIdentity | None, texts: list[str], X: np.ndarray) -> codomain.space.Space:
        roles = codomain.space.Roles("text", None, "id")
        rows = {"id": list(range(len(texts))), "text": texts}
        return codomain.write(tmp_path / name, rows, X, encoder=encoder, roles=roles)

    maker, other = (EncoderIdentity(name, name * 8, 6, uri="x:") for name in "pq")
    texts = [f"text {i}" for i in range(50)]
    X = gaussian(50, 6)
    X[:, 2] = 1
    one, two = space("1", maker, texts, X), space("2", maker, ["changed", *texts[1:]], X)
    three, bare = space("3", other, texts, X), space("4", None, texts, X)
    notes = compare_spaces(one, two).notes
    assert any(note.startswith("the same encoder: p") for note in notes)
    assert any("2% of the pairs have another text" in note for note in notes)
    assert "1 of 6 features of 1 never move; they change nothing here" in notes
    assert any(note.startswith("different encoders: p") for note in compare_spaces(one, three).notes)
    assert any("not known" in note for note in compare_spaces(one, bare).notes)
    assert not any("another text" in note for note in compare_spaces(one, three).notes)


def test_a_view_of_some_rows_reads_as_the_rows_do() -> None:
    X, rows = gaussian(50, 3), np.array([5, 2, 40, 7])
    view = Picked(X, rows)
    assert view.shape == (4, 3) and len(view) == 4
    for key in (slice(1, 3), np.array([3, 0]), slice(None)):
        np.testing.assert_array_equal(view[key], X[rows][key])


def record(name: str, value: float, low: float, high: float, null: float, best: str = "high") -> Measure:
    return Measure(name, name, value, "", low, high, null, best, "none", "", "", 10)  # type: ignore[arg-type]


def test_the_verdict_follows_its_thresholds() -> None:
    def said(kept: float, cka: float, distance: float | None) -> str:
        by = {
            "mutual_neighbors": record("mutual_neighbors", kept, kept - 0.005, kept + 0.005, 0.02),
            "debiased_cka": record("debiased_cka", cka, cka - 0.005, cka + 0.005, 0.0),
        }
        if distance is not None:
            by["procrustes_distance"] = record("p", distance, distance - 0.01, distance + 0.01, 1.2, "low")
        return judge(by)[0]

    assert said(0.95, 1.0, 0.05) == "the same space up to a rotation"
    assert said(0.95, 1.0, None) == "the same space up to a rotation"
    assert said(0.95, 0.98, None) == said(0.95, 1.0, 0.095) == said(0.89, 1.0, 0.05) == "related"
    assert said(0.02, 0.02, 1.2) == "related"  # CKA alone is enough
    assert said(0.04, 0.0, 1.2) == "related"  # and so are neighbours
    assert said(0.03, 0.01, 1.2) == "no more alike than chance"


def test_the_command_prints_writes_and_refuses(tmp_path: Path, run: Run) -> None:
    X = gaussian(80, 6)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", turn(X))
    np.save(tmp_path / "short.npy", X[:70])
    answer = run("compare", "x.npy", "y.npy", "--json", "--html", "page.html")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["verdict"] == "the same space up to a rotation" and found["pairs"] == 80
    assert len(found["rows"]) == 20 and len(found["rows"][0]["nearest_in_b"]) == 10
    assert {m["name"] for m in found["measures"]} >= {"mutual_neighbors", "debiased_cka", "procrustes_distance"}
    assert (tmp_path / "page.html").stat().st_size > 20_000 and "page: page.html" in answer.stderr
    wrong = run("compare", "x.npy", "short.npy")
    assert wrong.returncode == 2 and wrong.stdout == "" and "Traceback" not in wrong.stderr
    assert "80 rows and short.npy has 70" in wrong.stderr
