"""Run a study: read, encode, seal, every stage, report; resumable after any interruption."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import codomain.space
from codomain.core import EncoderIdentity, UserError, say, working
from codomain.encode import Encoder
from codomain.space import Held, InMemory, Origin, Source, Space, study_problems
from codomain.workbench.encoders import encoder_of, named_encoder
from codomain.workbench.encoding import choose_encoder, encode_source
from codomain.workbench.facts import facts_of
from codomain.workbench.first_look import FirstLook, text_column
from codomain.workbench.opened import Opened, Questions, path_of
from codomain.workbench.plan import Plan
from codomain.workbench.report.gather import write_report
from codomain.workbench.stages import STAGES, Inputs, Settings, fingerprints, late_stages


@dataclass(frozen=True)
class Study(Questions):
    """What a study leaves behind; it answers what its space answers, and shows itself in a notebook.

    Parameters
    ----------
    space : Opened
        The sealed space with every part.
    report : Path
        The report, one HTML file.
    notes : tuple of str, default=()
        What was guessed or left out while the rows were read.
    """

    space: Opened
    report: Path
    notes: tuple[str, ...] = ()

    @property
    def _opened(self) -> Opened:
        return self.space

    def to_dict(self) -> dict[str, Any]:
        """Return where everything is and what was found, as `codomain study --json` prints it."""
        return {"space": str(self.space.path), "report": str(self.report), **facts_of(self.space, self.notes)}

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        notes = f"<ul>{items}</ul>" if items else ""
        report = escape(str(self.report), quote=True)
        return f"{self.space._repr_html_()}{notes}<p>report: <a href='{report}'>{report}</a></p>"


def study(
    source: str | Path | InMemory | Space | Study,
    *,
    text: str | None = None,
    label: str | None = None,
    id: str | None = None,
    vector: str | None = None,
    vectors: str | Path | ArrayLike | None = None,
    rows: InMemory | None = None,
    encoder: str | None = None,
    space: str | Path | None = None,
    report: str | Path | None = None,
    drop_empty: bool = False,
    sample: int | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
) -> Study:
    """Study a table, a folder, a data frame, a data set, texts, vectors or a space.

    Parameters
    ----------
    source : str, Path, data frame, Table, Dataset, list of texts, array of shape (n, d), or Space
        What `codomain.read` takes, or a space, whose stages are then brought up to date.
    text, label, id, vector : str, optional
        Columns; guessed, and said aloud, when left out.
    vectors : str, Path or array of shape (n, d), optional
        Vectors in the same order as the rows.
    rows : data frame, Table, Dataset, list of texts or dict of columns, optional
        What stands beside `source` when that is an array.
    encoder : str, optional
        What `codomain.encode.resolve` takes. With given vectors it names the encoder that made them, and eight rows
        are encoded again to see whether that is true.
    space : str or Path, optional
        Where to write; `<source>.space` beside the working folder's files by default. Rows that come from no file need
        it. The same rows again, for the same space, are known by their content, as those of a file are.
    report : str or Path, optional
        Where to write the report; `<space>-report.html` beside the space by default.
    drop_empty : bool, default=False
        Leave out rows without text however many there are; up to a share of 5 % they are left out, and said, anyway.
    sample : int, optional
        Study only this many rows, drawn evenly by a fixed seed.
    settings : Settings or mapping, optional
        What the stages use; a mapping names those that differ from the study of this space before, or from the usual.

    Returns
    -------
    Study
        The space and the report.

    Raises
    ------
    UserError
        When the data, the space or the encoder cannot be used; nothing is half written then.
    """
    path = path_of(source)
    if path is not None and _is_space(path):
        if encoder:
            named_encoder(encoder)  # for a space from elsewhere: its server is trusted because a person names it here
        with working(Path(path)):
            opened = codomain.space.open(path, mend=True)  # what is damaged but can be made again is made again
            return finish(
                opened, _choose_settings(settings, opened), place_of_report(opened.path, report), encoder_of(opened)
            )
    rows_of, vectors, rows, origin = _take(source, vectors, rows, whole=sample is None)
    if path is None and space is None:
        raise UserError(
            f"The rows of a {origin.name} come from no file, after which their space could be called.",
            needed="the folder to write",
            todo="codomain.study(..., space='mine.space')",
        )
    found = codomain.space.read(
        rows_of, text=text, label=label, id=id, vector=vector, vectors=vectors, rows=rows, sample=sample,
        drop_empty=drop_empty,
    )  # fmt: skip
    for guess in found.guesses:
        say(guess)
    _refuse_what_cannot_be_studied(found)
    target = Path(space) if space else Path(f"{found.name}.space")
    report_path = place_of_report(target, report)
    maker = choose_encoder(found, encoder)
    identity = maker.identity if maker else EncoderIdentity.given(np.asarray(found.vectors).shape[1])
    codomain.space.check_target(target)
    with working(target):
        before = codomain.space.open(target, mend=True) if _is_space(target) else None
        if before:
            other = f", or encode with {before.encoder.uri or 'given vectors'}"
            before.encoder.check_same(
                identity,
                todo="choose another folder with --space" + (other if before.encoder.uri != identity.uri else ""),
            )
            _refuse_to_lose_added(before, origin)
        plan = Plan.of(found, maker, identity.dim, before)
        say(plan.line())
        if about_texts := plan.texts_line():
            say(about_texts)
        settings = _choose_settings(settings, before)
        opened = _bring_rows(target, before, found, maker, identity, report_path, settings, origin)
        notes = (*found.guesses, about_texts) if about_texts else tuple(found.guesses)
        return replace(finish(opened, settings, report_path, maker), notes=notes)


def add(
    space: str | Path | Space | Study,
    source: str | Path | InMemory,
    *,
    vectors: str | Path | ArrayLike | None = None,
    rows: InMemory | None = None,
    report: str | Path | None = None,
    drop_empty: bool = False,
) -> Study:
    """Append rows to a space and bring every stage up to date.

    A file, or a data frame, whose rows are there already is known by its hash: nothing is added then, and what is left
    of its study is done. So an interrupted `add` is completed by the same call.

    Parameters
    ----------
    space : str, Path, Space or Study
        The space.
    source : str, Path, data frame, Table, Dataset, list of texts or array of shape (n, d)
        New rows, with the columns that the space has; ids that are row numbers may be left out.
    vectors : str, Path or array of shape (n, d), optional
        Vectors in the same order as the rows, for a space of vectors that came without an encoder.
    rows : data frame, Table, Dataset, list of texts or dict of columns, optional
        What stands beside `source` when that is an array.
    report : str or Path, optional
        Where to write the report.
    drop_empty : bool, default=False
        Leave out rows without text however many there are; up to a share of 5 % they are left out, and said, anyway.

    Returns
    -------
    Study
        The space with the new rows, and the report.
    """
    path = path_of(space)
    if path is None:
        raise UserError(f"{type(space).__name__} is no space.", needed="the folder of a space, or an open space")
    if not _is_space(path):
        codomain.space.open(path)  # says what it is instead
    rows_of, vectors, rows, origin = _take(source, vectors, rows)
    with working(Path(path)):
        opened = codomain.space.open(path, mend=True)
        if origin.sha256 and origin.sha256 in {known.sha256 for known in opened.origins}:
            what = source if isinstance(source, str | Path) else f"this {origin.name}"
            say(f"The rows of {what} are in {opened.path} already: nothing is added.")
            opened.clear_work("encode")  # what a kill left between sealing and clearing
        else:
            roles = opened.roles
            id = "" if opened.numbered else roles.id  # row numbers go on by themselves
            found = codomain.space.read(
                rows_of, text=roles.text, label=roles.label, id=id, vectors=vectors, rows=rows, drop_empty=drop_empty
            )
            opened = _append(opened, found, origin)
        return finish(opened, Settings.of(opened), place_of_report(opened.path, report), encoder_of(opened))


def _choose_settings(settings: Settings | Mapping[str, Any] | None, before: Space | None) -> Settings:
    """Return what the stages use: what was not asked for now stays as it was asked for before."""
    if isinstance(settings, Settings):
        return settings
    return replace(Settings.of(before) if before else Settings(), **(settings or {}))


Taken = tuple[str | Path | InMemory | Held, str | Path | ArrayLike | None, InMemory | None, Origin]


def _take(
    source: str | Path | InMemory | Space | Study, vectors: str | Path | ArrayLike | None, rows: InMemory | None,
    *, whole: bool = True,
) -> Taken:  # fmt: skip
    """Return what `read` takes, with the object brought to the form of a file, and what it is to be known by."""
    if isinstance(source, str | Path):
        return source, vectors, rows, Origin.of(Path(source), whole=whole)
    if isinstance(source, Space | Study):
        raise UserError(f"{path_of(source)} is a space already.", needed="rows", todo="give a table or an array")
    if vectors is not None and not isinstance(vectors, str | Path):
        if rows is not None:
            raise UserError("Both vectors= and rows= came.", needed="rows with vectors=, or an array with rows=")
        held = codomain.space.hold(vectors, rows=source)
        held.name = type(source).__name__
    else:
        held = codomain.space.hold(source, rows=rows)
    table = codomain.space.as_table(held.table, held.table.num_rows)
    beside = vectors if isinstance(vectors, str | Path) else None
    return held, beside, None, Origin.of_rows(held.name, table, held.vectors, whole=whole)


def _append(opened: Space, found: Source, origin: Origin) -> Space:
    """Encode rows and append them."""
    for guess in found.guesses:
        say(guess)
    maker = encoder_of(opened) if found.vectors is None else None
    if found.vectors is None and maker is None:
        raise UserError(
            f"{origin.name} holds no vectors, and {opened.path} holds vectors that came without an encoder.",
            needed="vectors of the same kind",
            todo="put them in a column of lists, or give an array: codomain.add(space, rows, vectors=X)",
        )
    vectors = found.vectors if maker is None else encode_source(found, maker, opened.work / "encode", opened, None)
    return opened.append(
        found.rows, vectors, encoder=maker.identity if maker else opened.encoder, origin=origin,
        note=f"added {len(found):,} rows of {origin.name}",
    )  # fmt: skip


def _refuse_to_lose_added(before: Space, origin: Origin) -> None:
    """Refuse a study of a file for a space that has rows of other files too: they would go without a word."""
    others = [known.name for known in before.origins if known.name != origin.name]
    if len(before.origins) > 1:
        raise UserError(
            f"{before.path} also holds rows that were added from {', '.join(others) or 'other versions of this file'}; "
            f"a study of {origin.name} would leave them out.",
            todo=f"codomain study {before.path} brings it up to date; for {origin.name} alone, name another --space",
        )


def _is_space(path: str | Path) -> bool:
    return (Path(path) / "HEAD").is_file()


def place_of_report(space: Path, report: str | Path | None) -> Path:
    """Return where the report of a space is written: beside it unless a person says otherwise."""
    return Path(report) if report else space.with_name(f"{space.stem}-report.html")


def _refuse_what_cannot_be_studied(found: Source) -> None:
    if found.vectors is not None:
        problems = study_problems(found.vectors)
    else:
        texts = text_column(found, found.roles.text) or []
        problems = study_problems(np.arange(len(texts)))  # the texts differ until shown otherwise
        if not problems and len(set(texts)) == 1:
            problems = [f"all {len(texts):,} texts in column {found.roles.text!r} are the same: {texts[0][:60]!r}"]
    if problems:
        raise UserError(
            f"{found.name}: {'; '.join(problems)}.",
            needed="rows that differ, and at least three of them",
            todo="add rows, or choose another column with --text or --vector",
        )


def _bring_rows(
    target: Path, before: Space | None, found: Source, maker: Encoder | None, identity: EncoderIdentity,
    report: Path, settings: Settings, origin: Origin,
) -> Space:  # fmt: skip
    """Seal the rows; texts that are already there keep their vectors."""
    if maker is None or found.vectors is not None:
        vectors: Any = found.vectors
    else:
        look = FirstLook(found, maker, report, settings)
        vectors = encode_source(found, maker, codomain.space.work_folder(target) / "encode", before, look)
    opened = codomain.space.write(
        target,
        found.rows,
        vectors,
        encoder=identity,
        roles=found.roles,
        note=f"rows of {found.name}",
        replacing=True,
        origin=origin,
    )
    opened.clear_work("encode")  # also where these rows were sealed by a run that was killed
    return opened


def finish(space: Space, settings: Settings, report: Path, maker: Encoder | None) -> Study:
    """Run every stage whose inputs have changed, and write the report."""
    with working(space.path):
        return _finish(space, settings, report, maker)


def _finish(space: Space, settings: Settings, report: Path, maker: Encoder | None) -> Study:
    texts, labels = text_column(space, space.roles.text), text_column(space, space.roles.label)
    scratch = space.work / "scratch"
    inputs = Inputs(X=space.vectors, texts=texts, labels=labels, settings=settings, encoder=maker, scratch=scratch)
    made, to_do = fingerprints(space.fingerprint, settings), late_stages(space, settings)
    for number, stage in enumerate(STAGES, start=1):
        if stage in to_do:
            began = time.monotonic()
            scratch.mkdir(parents=True, exist_ok=True)
            files = stage.run(replace(inputs, parts=space.parts))
            space = space.put(stage.name, files, made_from=made[stage.name])
            say(f"{number}/{len(STAGES)} {stage.name}: {stage.says} ({time.monotonic() - began:.1f} s)")
    space.clear_work("scratch")  # not all of work/: what an interrupted command encoded stays
    space.tidy()
    inputs = replace(inputs, parts=space.parts)
    write_report(report, inputs, space.rows(), space.roles, space.encoder, space.path.stem, space=space.path)
    return Study(Opened.of(space), report)
