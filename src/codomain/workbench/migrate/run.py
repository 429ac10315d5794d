"""Move a space to another encoder without encoding everything again, and say beforehand what that keeps."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import codomain.space
from codomain.align import BRIDGES, Bridge, Doubt
from codomain.core import UserError, bar
from codomain.space import Doubtful, GroupsPart, MigrationPart, NeighborsPart, Space, exchange
from codomain.workbench.encoders import check_studied, encoder_of
from codomain.workbench.first_look import text_column
from codomain.workbench.migrate.again import find_bridged, find_record, refresh, settings_of, wish_of
from codomain.workbench.migrate.carry import Moved, Written, carry
from codomain.workbench.migrate.figures import measure
from codomain.workbench.migrate.kept import urgency
from codomain.workbench.migrate.measured import Measured
from codomain.workbench.migrate.pairs import Known, check_pairs, encode_some, known_rows
from codomain.workbench.migrate.scores import thresholds
from codomain.workbench.migrate.shown import Migrated, MigrationRefused

_LISTED = 1000
_MEASURED = 6000  # pairs at most, however many a file has: more do not change the figures


def migrate_space(
    space: str | Path, to: str | Path, *, encoder: str | None = None, pairs: int | None = None, keep: float = 0.8,
    reencode: float = 0.0, dry_run: bool = False, study: bool = True, random_state: int = 0,
) -> Migrated:  # fmt: skip
    """Give the rows of a space the vectors of another encoder, most of them by a bridge.

    Some rows are encoded (or taken from a file), bridges are fitted on some of them and measured on the rest. When the
    recall kept is high enough, a new generation gets the true vectors where they are known and bridged ones elsewhere;
    groups with their names and the map are carried as they are; what is about vectors is made again by a study. After
    a kill at any moment the same command goes on.

    Parameters
    ----------
    space : str or Path
        The space; `rollback` returns it to what it was.
    to : str or Path
        The new encoder as `codomain.encode.resolve` takes it, or a space or file with its vectors for these rows.
    encoder : str, optional
        What made the vectors of a file; tried on eight rows.
    pairs : int, optional
        Rows to encode with the new encoder: a fifth, at least 500 and at most 2,000, by default.
    keep : float, default=0.8
        Least recall among all rows, 0 to 1, that the lower end of its interval must reach.
    reencode : float, default=0.0
        Share of all rows, 0 to 1, to encode again, the most doubtful first. On a space that was migrated to the same
        encoder before, this alone is done.
    dry_run : bool, default=False
        Measure and write nothing.
    study : bool, default=True
        Bring a studied space up to date afterwards.
    random_state : int, default=0
        Seed of the split and of the bootstrap.

    Returns
    -------
    Migrated
        The space and what was measured.

    Raises
    ------
    MigrationRefused
        When too little would be kept; nothing is written.
    UserError
        When nothing pairs, or the encoder cannot be used.
    """
    opened = codomain.space.open(space)
    check_studied(opened)
    for name, share in (("keep", keep), ("reencode", reencode)):
        if not 0 <= share <= 1:
            raise UserError(f"{name}={share}.", needed="a share from 0 to 1")
    wish = wish_of(to, encoder=encoder, pairs=pairs, keep=keep, reencode=reencode, random_state=random_state)
    if not dry_run and (record := find_record(opened, wish)):
        opened.clear_work("migrate")  # what a kill left between sealing and clearing
        done = refresh(opened, record["settings"] if study else None)
        return Migrated(done, None, record, record["before"], done.parts.migration.doubtful["rows"])
    then = settings_of(opened)
    if reencode and (moved := find_bridged(opened, to)):
        measured, record, maker = None, opened.parts.migration.record, encoder_of(opened)
    else:
        known = known_rows(opened, to, encoder=encoder, pairs=pairs)
        measured, bridge, doubt = _measure(opened, known, pairs, random_state)
        _check(opened, known, measured, keep, dry_run)
        moved, maker = Moved(opened, bridge, known.identity, doubt), known.encoder
        moved.overlay(known.rows, known.vectors)
        record = {
            "from": opened.encoder.to_dict(), "to": known.identity.to_dict(), "bridge": measured.chosen.name,
            "keep": keep, "measured": measured.to_dict(), "rows": len(opened),
        }  # fmt: skip
    if dry_run:
        record |= {"dry_run": True, "when": _now(), "thresholds": thresholds(opened, moved, maker)}
        return Migrated(opened, measured, record, opened.generation)
    if reencode > 0 and not moved.true.all():
        if maker is None:
            raise UserError("No encoder is known that could encode rows again.", todo="name it: --encoder URI")
        doubts = moved.doubts if moved.bridge is None else moved.read_doubts()
        rows = np.sort(_rank_bridged(opened, doubts, moved.true)[: round(reencode * len(opened))])
        moved.overlay(rows, encode_some(opened, maker, rows, "worst"))
    if moved.bridge is not None:
        record["thresholds"] = thresholds(opened, moved, maker)
    record |= {"when": _now(), "before": opened.generation, "asked": wish, "settings": then}
    done, record, worst = _write(opened, moved, record)
    return Migrated(refresh(done, then if study else None), measured, record, opened.generation, worst)


def _measure(space: Space, known: Known, pairs: int | None, random_state: int) -> tuple[Measured, Bridge, Doubt]:
    """Measure on a sample of the known rows, then fit the chosen bridge on all of the sample."""
    _, first = np.unique(space.hashes[known.rows], return_index=True)
    count = min(len(first), pairs or _MEASURED, _MEASURED)
    some = np.sort(np.random.default_rng(random_state).choice(first, count, replace=False))
    rows, B = known.rows[some], np.asarray(known.vectors[some], np.float32)
    A = space.vectors[rows]
    good = np.isfinite(B).all(axis=1) & B.any(axis=1) & A.any(axis=1)
    rows, A, B = rows[good], A[good], B[good]
    if np.array_equal(A, B):
        raise UserError(
            f"{space.path} holds these very vectors already ({len(A):,} rows compared).",
            needed="vectors of another encoder",
        )
    check_pairs(A, B, int((~good).sum()))
    labels, groups = text_column(space, space.roles.label), space.parts.find(GroupsPart)
    measured = measure(
        A, B, rows=len(space), random_state=random_state, labels=[labels[row] for row in rows] if labels else None,
        groups=groups.labels[rows] if groups else None,
    )  # fmt: skip
    kind = next(kind for kind in BRIDGES if kind.name == measured.chosen.name)
    bridge = kind(measured.chosen.stretch).fit(A, B)
    return measured, bridge, Doubt(random_state).fit(A, B, bridge)


def _check(space: Space, known: Known, measured: Measured, keep: float, dry_run: bool) -> None:
    """Refuse when the lower end of the recall among all rows is too low and some rows would be bridged."""
    recall = measured.among_all
    if dry_run or recall.low >= keep or len(known.rows) == len(space):
        return
    # The curve is about the rows tested with, fewer than all: it is asked for the gain that is missing.
    pairs = measured.pairs_for(measured.chosen.recall.value + keep - recall.low)
    enough = (
        f"--pairs {pairs / 0.65:,.0f} may do, by the curve"
        if pairs and pairs < len(space)
        else "no number of pairs would do, by the curve"
    )
    raise MigrationRefused(
        f"The best bridge ({measured.chosen.name}) keeps {recall.value:.2f} of the new encoder's {measured.k} nearest "
        f"rows among all {measured.rows:,} (interval {recall.low:.2f} to {recall.high:.2f}; staying with the old "
        f"encoder gives {measured.stay.value:.2f}). Nothing has been written.",
        needed=f"a lower end of at least {keep:g}",
        todo=f"{enough}; encode all {len(space):,} rows again (codomain study, with --encoder and a new --space); "
        f"or accept it: --keep {max(np.floor(recall.low * 100) / 100, 0):g}",
        measured=measured,
    )  # fmt: skip


def _rank_bridged(space: Space, doubts: NDArray[Any], true: NDArray[Any]) -> Any:
    """Rows that are still bridged, those to encode first first."""
    near = space.parts.find(NeighborsPart)
    listed = None if near is None else np.bincount(near.indices.ravel(), minlength=len(space))
    order = np.argsort(-urgency(doubts, listed), kind="stable")
    return order[~true[order]]


def _write(space: Space, moved: Moved, record: dict[str, Any]) -> tuple[Space, dict[str, Any], list[Doubtful]]:
    """Seal the new generation: vectors first, then the parts that go with them."""
    record = record | {"true_rows": int(moved.true.sum())}
    worst: list[Doubtful] = []

    def parts(rows: str) -> dict[str, tuple[Any, str]]:
        first = _rank_bridged(space, written.doubts, moved.true)[:_LISTED]
        worst.extend(
            {"row": int(row), "id": name, "doubt": round(float(written.doubts[row]), 4)}
            for row, name in zip(first, space.ids.take(first).to_pylist(), strict=True)
        )
        files: dict[str, Any] = {
            MigrationPart.record: record, MigrationPart.doubtful: {"rows": worst}, MigrationPart.doubt: written.doubts,
            MigrationPart.true_rows: np.flatnonzero(moved.true),
        }  # fmt: skip
        if moved.bridge is not None:
            files |= {MigrationPart.weights: moved.bridge.weights_, MigrationPart.offset: moved.bridge.offset_}
        return {**dict(carry(space, rows)), MigrationPart.name: (files, f"{rows}-migration")}

    note = (
        f"migrated from {record['from']['name']} to {moved.identity.name}: {record['true_rows']:,} of {len(space):,} "
        f"rows encoded, the others bridged ({record['bridge']})"
    )
    with bar("migrate", total=len(space)) as tick:
        written = Written(moved, tick)
        done = exchange(space, written, encoder=moved.identity, parts=parts, note=note)
    return done, record, worst


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
