"""Opening a space, and saying what a folder is when it is none."""

from dataclasses import replace
from pathlib import Path

from codomain.core import DamagedError, UserError
from codomain.space.files import Files
from codomain.space.head import Head
from codomain.space.manifest import PartRecord
from codomain.space.received import check_links, looks_ours
from codomain.space.schema import LabelsPart
from codomain.space.space import Space


def open(path: str | Path, *, generation: int | None = None, mend: bool = False) -> Space:
    """Open a space for reading; nothing is locked or written.

    Parameters
    ----------
    path : str or Path
        Folder of the space.
    generation : int, default=None
        An older generation; the present one by default.
    mend : bool, default=False
        Leave out derived parts that are damaged instead of refusing the space; the next change drops them.

    Returns
    -------
    Space
        Every file of it up to 1 GiB in all has matched its seal; the rest is checked when first read.

    Raises
    ------
    DamagedError
        Naming the file that has changed or is missing.
    UserError
        When there is no space, no such generation, or a newer version wrote it.
    """
    root = Path(path)
    try:
        if not (root / "HEAD").is_file():
            _refuse_headless(root)
        for _ in range(5):
            before = (root / "HEAD").read_bytes()
            try:
                return _open(root, generation, mend)
            except DamagedError:
                if (root / "HEAD").read_bytes() == before:  # else another process changed it while it was read
                    raise
        return _open(root, generation, mend)
    except PermissionError as error:
        raise UserError(
            f"{error.filename or root} may not be read.", needed="a space you may read", todo=f"chmod -R u+rX {root}"
        ) from error


def _open(root: Path, generation: int | None, mend: bool) -> Space:
    check_links(root)
    head = Head.read(root)
    for number in head.manifests:
        head.manifest_bytes(root, number)
    manifest = head.manifest(root, head.generation if generation is None else generation)
    damaged = []
    for name in list(manifest.parts) if mend else []:
        try:
            Files(root, manifest.part_seals(name)).check_all()
        except DamagedError as error:
            _refuse_lost_answers(root, manifest.parts[name], error)
            damaged.append(manifest.parts[name])
    gone = {f"{record.folder}/{file}" for record in damaged for file in record.files}
    manifest = replace(
        manifest,
        parts={name: record for name, record in manifest.parts.items() if record not in damaged},
        seals={name: seal for name, seal in manifest.seals.items() if name not in gone},
    )
    space = Space(root, manifest)
    space.damaged = tuple(damaged)
    return space


def _refuse_lost_answers(root: Path, part: PartRecord, error: DamagedError) -> None:
    """Refuse to drop a damaged part with the labels that people gave: nothing can make these again."""
    if LabelsPart.given in part.files:
        raise DamagedError(
            f"{root / part.folder} is damaged, and it holds the labels that people gave. {error.came}",
            todo=f"copy the folder {part.folder} back from a backup",
        ) from error


def _refuse_headless(root: Path) -> None:
    if root.is_dir():
        inside = [entry.name for entry in root.iterdir()]
        if (root / "manifests").is_dir() and any((root / "manifests").iterdir()):
            raise DamagedError(
                f"{root / 'HEAD'} is missing: a first write was interrupted at its end, or the file was lost.",
                todo="type the command that made the space again, or copy the file back from a backup",
            )
        if inside and all(looks_ours(name) for name in inside):
            raise UserError(
                f"{root} is not a space: a write was interrupted before it was whole.",
                todo="type the command that was interrupted again; what it left behind is used or cleared",
            )
    what = "is a file" if root.is_file() else "is no space" if root.is_dir() else "does not exist"
    todo = f"codomain study {root}" if root.is_file() else "codomain study FILE makes a space from a table"
    raise UserError(f"{root} {what}.", needed="the folder of a space", todo=todo)
