"""A space moves to another encoder with its work, or is refused and left as it was."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from scipy.stats import ortho_group

import codomain
from codomain.core import UserError, unit_rows
from codomain.encode import resolve
from codomain.space import Roles
from codomain.workbench import label_space, migrate_space, search_space, study
from codomain.workbench.migrate.figures import measure
from codomain.workbench.migrate.kept import lists, share_found
from codomain.workbench.migrate.measured import Measured
from codomain.workbench.migrate.shown import MigrationRefused
from conftest import Run

NEW = "static:wordllama"


@pytest.fixture(scope="module")
def own(docstrings: pa.Table) -> np.ndarray:
    """What the new encoder makes of every text."""
    return resolve(NEW).encode(docstrings["text"].to_pylist())


@pytest.fixture(scope="module")
def old(own: np.ndarray) -> np.ndarray:
    """Vectors of an old encoder that is akin to the new one: turned, shortened to 200 directions, a little off."""
    rng = np.random.default_rng(0)
    X = own @ ortho_group.rvs(256, random_state=0)[:, :200] + 0.02 * rng.standard_normal((len(own), 200))
    return np.asarray(X, np.float32)


@pytest.fixture(scope="module")
def studied(docstrings: pa.Table, old: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    parquet.write_table(docstrings.select(["id", "text", "package"]), folder / "docs.parquet")
    np.save(folder / "old.npy", old)
    done = study(
        folder / "docs.parquet", text="text", label="package", id="id", vectors=folder / "old.npy",
        space=folder / "docs.space",
    )  # fmt: skip
    return done.space.path


@pytest.fixture
def space(studied: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(studied, tmp_path / "docs.space"))


def test_the_work_is_carried_and_questions_are_asked_of_the_new_encoder(space: Path, own: np.ndarray, run: Run) -> None:
    before = codomain.open(space)
    answer = run("migrate", space, "--to", NEW, "--keep", 0.6)
    assert answer.returncode == 0, answer.stderr
    assert "(chosen)" in answer.stdout and "plan: encode 300 of 600 texts" in answer.stderr
    assert "Scores between two rows" in answer.stdout
    after = codomain.open(space)
    assert after.encoder == resolve(NEW).identity
    assert after.rows().equals(before.rows())
    assert any("300 of 600 rows encoded, the others bridged" in entry.note for entry in after.log())
    part = after.parts.migration
    true = part.true_rows
    X, bridged = np.asarray(after.vectors), np.setdiff1d(np.arange(600), true)
    assert len(true) == 300
    np.testing.assert_array_equal(X[true], own[true])
    cosines = np.sum(X[bridged] * own[bridged], axis=1)
    assert 0.8 < np.median(cosines) < 0.9999
    np.testing.assert_allclose(np.linalg.norm(X[bridged], axis=1), 1, atol=1e-5)
    weights, offset = part.weights, part.offset
    again = unit_rows(np.asarray(before.vectors)[bridged] @ weights + offset)
    np.testing.assert_allclose(X[bridged], again, atol=1e-4)
    for name in ("groups", "map"):
        assert after.part(name).files == before.part(name).files
        for file in before.part(name).files:
            assert after.part(name).path(file).read_bytes() == before.part(name).path(file).read_bytes()
    for name in ("neighbors", "index", "audit", "health", "shrink"):  # about vectors: made again, of the new ones
        assert after.part(name).made_from != before.part(name).made_from
    near = after.parts.neighbors.indices[:, 0]
    scores = X @ X.T - 9 * np.eye(600)
    assert np.mean(scores[np.arange(600), near] >= scores.max(axis=1) - 1e-5) == 1
    assert "groups:" not in answer.stderr and "map:" not in answer.stderr and "neighbors:" in answer.stderr
    assert len(search_space(space, "parse a date from a string", k=3)) == 3

    back = run("rollback", space, before.generation)
    assert back.returncode == 0, back.stderr
    restored = codomain.open(space)
    assert restored.encoder == before.encoder and restored.fingerprint == before.fingerprint
    assert set(restored.parts) == set(before.parts)


def test_what_would_keep_too_little_is_refused_and_nothing_changes(
    docstrings: pa.Table, tmp_path: Path, run: Run
) -> None:
    noise = np.random.default_rng(0).standard_normal((600, 32)).astype(np.float32)
    path = tmp_path / "noise.space"
    codomain.write(path, docstrings, noise, roles=Roles(text="text", id="id"))
    before = (path / "HEAD").read_bytes()
    answer = run("migrate", path, "--to", NEW)
    assert answer.returncode == 2 and answer.stdout == ""
    for word in (
        "(chosen)",
        "lower end of at least 0.8",
        "no number of pairs",
        "--keep 0.",
        "Nothing has been written",
    ):
        assert word in answer.stderr, word
    assert (path / "HEAD").read_bytes() == before
    with pytest.raises(MigrationRefused) as refused:
        migrate_space(path, NEW, keep=0.9)
    assert refused.value.measured.among_all.high < 0.2


def test_a_dry_run_measures_and_writes_nothing(space: Path, run: Run) -> None:
    before = (space / "HEAD").read_bytes()
    answer = run("migrate", space, "--to", NEW, "--dry-run", "--json", "--keep", 0.99)
    assert answer.returncode == 0, answer.stderr
    record = json.loads(answer.stdout)
    figures = {figure["name"]: figure for figure in record["measured"]["figures"]}
    assert set(figures) == {"head", "groups", "alerts"}
    for figure in [*figures.values(), record["measured"]["candidates"][0]["recall"]]:
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
    told = record["thresholds"]["rows"]
    assert len(told) > 3 and all(one["low"] <= one["new"] <= one["high"] and one["share"] <= 0.5 for one in told)
    assert record["dry_run"] and (space / "HEAD").read_bytes() == before


def test_a_killed_migration_does_not_encode_its_sample_again(space: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    true = type(resolve(NEW)).encode

    def counting(self: object, texts: list[str], **options: bool) -> np.ndarray:
        encoded.append(len(texts))
        return true(self, texts, **options)

    monkeypatch.setattr(type(resolve(NEW)), "encode", counting)
    with monkeypatch.context() as broken:
        broken.setattr(
            sys.modules["codomain.workbench.migrate.run"],
            "measure",
            lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt),
        )
        with pytest.raises(KeyboardInterrupt):
            migrate_space(space, NEW, keep=0.6, study=False)
    first = sum(encoded)
    encoded.clear()
    migrate_space(space, NEW, keep=0.6, study=False)
    assert first >= 300 and sum(encoded) < 50  # only the trial that times the encoder
    assert codomain.open(space).encoder.name == resolve(NEW).identity.name


def test_the_most_doubtful_rows_are_encoded_again_now_and_later(space: Path, own: np.ndarray) -> None:
    done = migrate_space(space, NEW, keep=0.6, reencode=0.1, study=False)
    assert done.record["true_rows"] == 360
    doubts = done.space.parts.migration.doubt
    true = done.space.parts.migration.true_rows
    np.testing.assert_array_equal(np.asarray(done.space.vectors)[true], own[true])
    assert (doubts[true] == 0).all() and (np.delete(doubts, true) > 0).all()
    assert [row["row"] for row in done.worst[:2]] and not set(true) & {row["row"] for row in done.worst}
    later = migrate_space(space, NEW, reencode=0.2, study=False)
    again = later.space.parts.migration.true_rows
    assert len(again) == 480 and set(true) < set(again)
    # Without neighbour lists the doubt alone decides.
    assert set(again) - set(true) == set(np.argsort(-doubts, kind="stable")[:120])
    np.testing.assert_array_equal(np.asarray(later.space.vectors)[again], own[again])
    with pytest.raises(UserError, match="already"):
        migrate_space(space, NEW)


def test_a_file_is_paired_by_ids_whatever_its_order(
    space: Path, docstrings: pa.Table, own: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = np.random.default_rng(0).permutation(600)[:450]
    rows = docstrings.select(["id", "text"]).take(order)
    other = tmp_path / "other.space"
    codomain.write(other, rows, own[order], encoder=resolve(NEW).identity, roles=Roles(text="text", id="id"))
    done = migrate_space(space, other, keep=0.6, study=False)
    said = capsys.readouterr().err
    assert "450 rows paired by id" in said and "another order" in said
    true = done.space.parts.migration.true_rows
    np.testing.assert_array_equal(true, np.sort(order))
    np.testing.assert_array_equal(np.asarray(done.space.vectors)[true], own[true])


def test_a_bare_file_is_paired_by_row_and_its_encoder_is_tried(
    space: Path, own: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "own.npy", own)
    np.save(tmp_path / "short.npy", own[:500])
    np.save(tmp_path / "turned.npy", own[::-1])
    with pytest.raises(UserError, match="500"):
        migrate_space(space, tmp_path / "short.npy")
    with pytest.raises(UserError, match="did not make"):
        migrate_space(space, tmp_path / "turned.npy", encoder=NEW)
    done = migrate_space(space, tmp_path / "own.npy", encoder=NEW, study=False)
    assert "paired by row number" in capsys.readouterr().err
    assert done.space.encoder == resolve(NEW).identity
    np.testing.assert_array_equal(np.asarray(done.space.vectors), own)  # all known: nothing is bridged, nothing lost
    assert done.record["true_rows"] == 600 and done.worst == []
    again = migrate_space(
        space, tmp_path / "own.npy", encoder=NEW, study=False
    )  # the same command: nothing is left to do
    assert again.space.generation == done.space.generation and again.before == done.before
    with pytest.raises(UserError, match="already"):
        migrate_space(space, tmp_path / "own.npy", encoder=NEW, study=False, pairs=100)


def test_a_space_of_other_rows_lends_its_encoder(
    space: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = resolve(NEW).identity
    texts = {"id": ["x", "y", "z"], "text": ["one", "two", "three"]}
    vectors = resolve(NEW).encode(texts["text"])
    codomain.write(tmp_path / "b.space", texts, vectors, encoder=identity, roles=Roles(text="text", id="id"))
    done = migrate_space(space, tmp_path / "b.space", keep=0.6, study=False)
    assert "No id of docs.space" in capsys.readouterr().err
    assert done.space.encoder == identity


def test_labels_that_people_gave_teach_the_new_vectors(space: Path, docstrings: pa.Table, tmp_path: Path) -> None:
    large = docstrings["package"].to_pylist()
    names = sorted(set(large), key=large.count)[-2:]
    some = [row for row in range(600) if large[row] in names]
    table = docstrings.take(some).select(["id", "package"])
    parquet.write_table(table, tmp_path / "labels.parquet")
    label_space(space, labels=tmp_path / "labels.parquet", column="package")
    done = migrate_space(space, NEW, keep=0.6)
    part = done.space.parts.labels
    assert part.fresh
    assert part.record["encoder"] == resolve(NEW).identity.to_dict()
    predicted = [sorted(names)[code] for code in part.predicted[some]]
    assert np.mean([a == b for a, b in zip(predicted, table["package"].to_pylist(), strict=True)]) > 0.8


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (("--to", "nonsense"), "There is no encoder"),
        (("--to", NEW, "--pairs", 20), "--pairs"),
        (("--to", NEW, "--keep", 2), "--keep"),
        (("--to", "missing.npy"), "missing.npy"),
    ],
)
def test_a_wrong_wish_is_worded(space: Path, run: Run, wish: tuple[object, ...], words: str) -> None:
    answer = run("migrate", space, *wish)
    assert answer.returncode == 2
    assert words in answer.stderr and "Traceback" not in answer.stderr


def test_without_text_vectors_are_asked_for(tmp_path: Path, old: np.ndarray) -> None:
    codomain.write(tmp_path / "bare.space", None, old)
    with pytest.raises(UserError, match="--to FILE"):
        migrate_space(tmp_path / "bare.space", NEW)


def test_constant_dimensions_are_said(
    docstrings: pa.Table, old: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    still = old.copy()
    still[:, :7] = 1
    codomain.write(tmp_path / "still.space", docstrings, still, roles=Roles(text="text", id="id"))
    migrate_space(tmp_path / "still.space", NEW, dry_run=True, pairs=120)
    said = capsys.readouterr().err
    assert "7 of 200 dimensions of the old vectors never change" in said
    assert "78 pairs to learn from for 200 dimensions" in said


def test_lists_are_those_of_sorting_every_cosine() -> None:
    rng = np.random.default_rng(0)
    Q, X = rng.normal(size=(30, 4)), rng.normal(size=(30, 4))
    cosines = (Q @ X.T) / np.linalg.norm(X, axis=1)
    np.fill_diagonal(cosines, -9)
    slow = np.argsort(-cosines, axis=1)[:, :5]
    assert [set(row) for row in lists(Q, X, 5)] == [set(row) for row in slow]
    other = np.argsort(cosines, axis=1)[:, -7:-2]
    expected = [len(set(a) & set(b)) / 5 for a, b in zip(other, slow, strict=True)]
    np.testing.assert_allclose(share_found(other, slow), expected)


def test_a_perfect_relation_keeps_everything_and_none_keeps_what_chance_gives() -> None:
    rng = np.random.default_rng(0)
    A = rng.normal(size=(400, 10)).astype(np.float32)
    whole = measure(A, A @ ortho_group.rvs(10, random_state=0), groups=np.arange(400) % 3)
    assert whole.chosen.recall.value > 0.99 and whole.chosen.own_first == 1
    nothing = measure(A, rng.normal(size=(400, 10)), groups=np.arange(400) % 3)
    assert nothing.chosen.recall.value == pytest.approx(nothing.k / nothing.n_test, abs=0.04)
    assert nothing.pairs_for(0.9) is None


def test_the_curve_of_pairs_is_carried_on() -> None:
    pairs = [100, 200, 400, 800]
    curve = [(n, 0.9 - 2 / n**0.5) for n in pairs]
    made = Measured(10, 800, 100, 400, [], 400, None, None, [], curve, [], 0, 0, 0)  # type: ignore[arg-type]
    assert made.pairs_for(0.85) == pytest.approx((2 / 0.05) ** 2, abs=1)
    assert made.pairs_for(0.9) is None
