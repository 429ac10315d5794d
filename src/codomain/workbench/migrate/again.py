"""What a space remembers of its migration: the command, to finish it after a kill, and which rows are still bridged."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from codomain.core import say
from codomain.space import LabelsPart, MigrationPart, NeighborsPart, Space
from codomain.workbench.compare.join import Picked
from codomain.workbench.encoders import encoded_rows, encoder_of
from codomain.workbench.label.run import earlier_labels, seal
from codomain.workbench.migrate.carry import Moved
from codomain.workbench.run import finish, place_of_report
from codomain.workbench.stages import Settings, late_stages


def wish_of(to: str | Path, **options: str | float | None) -> dict[str, Any]:
    """Return a command as it is remembered: two of the same wish are equal, from whatever folder they are typed."""
    return {"to": str(Path(to).resolve()) if Path(to).exists() else str(to), **options}


def settings_of(space: Space) -> dict[str, Any] | None:
    """Return what a space was studied with, as JSON can hold it; None when it was not studied."""
    return asdict(Settings.of(space)) if space.parts.find(NeighborsPart) else None


def refresh(space: Space, settings: dict[str, Any] | None) -> Space:
    """Make again what is about vectors, and teach the new vectors the labels that people gave.

    Parameters
    ----------
    space : Space
        Right after its vectors were exchanged, or when a kill ended this half way.
    settings : dict or None
        Of the study before; None when there was none, and then nothing is done.
    """
    if settings is None:
        return space
    space = finish(space, Settings(**settings), place_of_report(space.path, None), encoder_of(space)).space
    if _labels_are_stale(space):
        space = seal(space, earlier_labels(space), space.parts.labels.record["risk"]).space
    return space


def _labels_are_stale(space: Space) -> bool:
    """Whether people gave labels, and the head has learned them on other vectors."""
    part = space.parts.find(LabelsPart)
    return part is not None and LabelsPart.given in part and not part.fresh


def find_record(space: Space, wish: dict[str, Any]) -> dict[str, Any] | None:
    """Return the record of this very command when its vectors are written already; what follows may be missing.

    To encode a share again may be asked for more than once, so that is only the same command until it is finished.
    """
    part = space.parts.find(MigrationPart)
    record = part.record if part else {}
    if record.get("asked") != wish or (wish["reencode"] and not _is_unfinished(space, record["settings"])):
        return None
    say(f"the vectors of {space.path} were written at {record['when']} by this command: only the rest is done")
    return record


def _is_unfinished(space: Space, settings: dict[str, Any] | None) -> bool:
    return settings is not None and (bool(late_stages(space, Settings(**settings))) or _labels_are_stale(space))


def find_bridged(space: Space, to: str | Path) -> Moved | None:
    """Return a space that was migrated to this encoder before, ready for more true vectors; else None."""
    part = space.parts.find(MigrationPart)
    if part is None or str(to) != space.encoder.uri:
        return None
    own = np.flatnonzero(encoded_rows(space))
    doubts = np.zeros(len(space), np.float32)  # rows added since then have none
    doubts[: len(part.doubt)] = part.doubt
    moved = Moved(space, None, space.encoder, None, doubts)
    moved.overlay(own, Picked(space.vectors, own))
    return moved
