"""Label a space from few examples: read or ask for labels, fit a head, and seal what it says of every row."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import codomain.space
from codomain.core import UserError, say
from codomain.space import LabelsPart, Space, list_rows, refuse
from codomain.workbench.label.file import from_column, from_file
from codomain.workbench.label.fit import LEARN, Teacher, fingerprint, head_files, load_head, predictions
from codomain.workbench.label.given import Given
from codomain.workbench.label.ledger import NAME as LEDGER
from codomain.workbench.label.session import questions
from codomain.workbench.label.words import Labelled, sentences


def label_space(
    space: str | Path,
    *,
    labels: str | Path | None = None,
    column: str | None = None,
    ask: int | None = None,
    classes: Sequence[str] | None = None,
    merge_spellings: bool | None = None,
    risk: float = 0.1,
) -> Labelled:
    """Label every row of a space from the labels of a few.

    Parameters
    ----------
    space : str or Path
        The space.
    labels : str or Path, optional
        A csv, tsv, json, jsonl or parquet file with the ids of the space and a column of labels.
    column : str, optional
        Which column has the labels, in that file or else in the space.
    ask : int, optional
        Ask on the terminal for so many labels, 0 for none: what is known labels the rows again. Without this, a file
        and a label column, questions are asked until twice the labels are expected to buy less than a point.
    classes : sequence of str, optional
        The classes that there are; others in a file are refused.
    merge_spellings : bool, optional
        Whether labels that differ only in capitals, blanks or Unicode form are one class; when left out, a person at a
        terminal is asked, and elsewhere they are kept apart.
    risk : float, default=0.1
        Share of the sets of possible classes that may lack the right one, above 0 and below 1.

    Returns
    -------
    Labelled
        The space and what was measured.

    Raises
    ------
    UserError
        When labels cannot be used, or there are none of a second class; nothing is sealed then, and answers are kept.
    """
    if not 0 < risk < 1:
        raise UserError(f"risk={risk!r} cannot be used.", needed="a number above 0 and below 1")
    opened = codomain.space.open(space)
    before = earlier_labels(opened)
    asked = ask is not None or classes or not before.fair.all() or (opened.path / LEDGER).exists()
    by_column = column or (None if asked else opened.roles.label)
    if labels is not None or by_column:
        if labels is not None:
            found = from_file(opened, Path(labels), column, merge_spellings)
        else:
            found = from_column(opened, str(by_column), merge_spellings)
        if ask is None and len(before.rows):
            say(f"replaces {len(before.rows):,} labels; codomain rollback {opened.path} {opened.generation} undoes it")
        given = found if ask is None else before.merge(found)
        ask = ask or 0
    else:
        given = before
    for note in given.notes:
        say(note)
    _check_classes(given, classes)
    if ask == 0:
        return seal(opened, given, risk)
    with questions(opened, given, classes or ()) as session:
        done = seal(opened, session.run(ask), risk)
        session.ledger.remove()  # sealed: from now on the part remembers them
    return done


def apply_head(space: str | Path, to: str | Path, *, risk: float = 0.1) -> Labelled:
    """Label another space of the same encoder with the head of a labelled one.

    Parameters
    ----------
    space : str or Path
        A space that has been labelled.
    to : str or Path
        The space to label.
    risk : float, default=0.1
        As in `label`; what calibrates are rows of the first space.

    Returns
    -------
    Labelled
        The second space and what was measured.

    Raises
    ------
    EncoderMismatch
        When another encoder made the vectors; with the command that carries a head over.
    """
    source, target = codomain.space.open(space), codomain.space.open(to)
    part = source.parts.find(LabelsPart)
    if part is None:
        raise UserError(f"{source.path} has not been labelled.", todo=f"codomain label {_quote(source)}")
    if LabelsPart.given not in part:
        origin = part.record["from"]
        raise UserError(f"The labels of {source.path} come from {origin}.", todo=f"apply the head of {origin} itself")
    there = shlex.quote(target.encoder.uri or "ENCODER")
    source.encoder.check_same(
        target.encoder, todo=f"codomain migrate {_quote(source)} --to {there}, and then this command again"
    )
    if not source.encoder.encodes:
        say("both spaces hold vectors that came without an encoder: that one and the same made them is your word")
    return seal(target, earlier_labels(source), risk, source=source)


def _quote(space: Space) -> str:
    return shlex.quote(str(space.path))


def earlier_labels(space: Space) -> Given:
    """Return the labels that an earlier run has sealed; none when there was none.

    Parameters
    ----------
    space : Space
        Its rows may have changed since: labels stay with the content that they were given for.

    Returns
    -------
    Given
        In the order of the rows.
    """
    part = space.parts.find(LabelsPart)
    return Given.load(part, space) if part and LabelsPart.given in part else Given.of({})


def _check_classes(given: Given, classes: Sequence[str] | None) -> None:
    if classes:
        strange = np.flatnonzero(~np.isin(given.labels, list(classes)))
        names = ", ".join(map(repr, sorted(set(given.labels[strange].tolist()))[:5]))
        what = f"{list_rows(given.rows[strange].tolist())} of the space: {names} {'is' if len(strange) == 1 else 'are'}"
        refuse("The labels", [f"{what} not among the classes {', '.join(classes)}"] if len(strange) else [])
        if never := sorted(set(classes) - set(given.labels.tolist())):
            say(f"no example yet of {', '.join(never)}: a class without one is never predicted")


def seal(space: Space, given: Given, risk: float, *, source: Space | None = None) -> Labelled:
    """Fit, measure, and write the part "labels".

    Parameters
    ----------
    space : Space
        What is labelled.
    given : Given
        Labels of its rows, or of those of `source`.
    risk : float
        As in `label`.
    source : Space, optional
        A labelled space, whose head is used instead of a new one.

    Returns
    -------
    Labelled
        The space and what was measured.
    """
    teacher = Teacher(source or space, given)
    names, sizes = np.unique(given.labels, return_counts=True)
    taught = f", {LEARN:,} of them drawn to teach" if len(given.rows) > LEARN else ""
    say(f"plan: {len(given.rows):,} labels of {len(names):,} classes{taught}; {len(space):,} rows to label")
    head = load_head(source.parts.labels) if source else teacher.fit()
    probabilities = predictions(head, space.vectors)
    predicted = probabilities.argmax(axis=1).astype(np.int32)
    rejected, promise = teacher.reject(space.vectors, risk, own=source is None)
    curve, doubts = (None, []) if source else (teacher.curve(), teacher.doubts())
    novel = [] if source else teacher.novel(rejected)
    right, checked = given.checked
    record: dict[str, Any] = {
        "summary": head.summary(), "accuracy": _finite(head.accuracy_), "baseline": _finite(head.baseline_),
        "interval": list(head.interval_), "risk": risk, "promise": promise,
        "majority": {"name": str(head.classes_[head.sizes_.argmax()]), "share": _finite(head.majority_)},
        "balanced": {"accuracy": _finite(head.balanced_accuracy_), "interval": list(head.balanced_interval_)},
        "blind": {"right": right, "asked": checked}, "from": str(source.path) if source else None,
        "encoder": (source or space).encoder.to_dict(),
        "classes": [
            {
                "name": str(name), "given": int(sizes[names == name].sum()), "labelled": int((predicted == at).sum()),
                "found": _finite(head.recalls_[at]),
                "rejected": None if rejected is None else int((rejected & (predicted == at)).sum()),
            }
            for at, name in enumerate(head.classes_.tolist())
        ],
        "curve": None if curve is None else {
            "n": curve.n.tolist(), "accuracy": curve.accuracy.tolist(), "balanced": curve.balanced.tolist(),
            "uneven": curve.uneven, "majority": curve.majority, "low": curve.low.tolist(),
            "high": curve.high.tolist(), "flat": bool(curve.flat), "says": curve.says,
        },
        "new": novel, "doubtful": doubts,
    }  # fmt: skip
    record["says"] = sentences(record, head.notes_)
    files: dict[str, Any] = {
        LabelsPart.record: record, LabelsPart.predicted: predicted, LabelsPart.probabilities: probabilities,
        **head_files(head),
    }  # fmt: skip
    if rejected is not None:
        files[LabelsPart.rejected] = rejected
    if source is None:
        files[LabelsPart.given] = given.save(space)
    note = f"labels: {len(given.rows):,} of {len(names):,} classes" + (f", head of {source.path}" if source else "")
    key = fingerprint(space, given, risk, source.fingerprint if source else "")
    return Labelled(space.put(LabelsPart.name, files, made_from=key, note=note), record)


def _finite(value: float) -> float | None:
    """Return a number as JSON can hold it."""
    return float(value) if np.isfinite(value) else None
