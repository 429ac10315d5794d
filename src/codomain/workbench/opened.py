"""A space as a notebook holds it: it answers questions, and shows its first screen and its map by itself."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

import codomain.space
from codomain.core import Table, UserError
from codomain.space import AuditPart, GroupsPart, LabelsPart, Space
from codomain.workbench.found import label_columns
from codomain.workbench.screen import screen

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from codomain.encode import Encoder
    from codomain.search import Results
    from codomain.workbench.compare.shown import Compared


class Questions:
    """What can be asked of a studied space; `Opened` and `codomain.workbench.Study` answer it."""

    @property
    def _opened(self) -> "Opened":
        raise NotImplementedError

    def search(
        self,
        query: str | ArrayLike | None = None,
        *,
        k: int = 10,
        where: str | None = None,
        mode: Literal["both", "meaning", "words"] = "both",
        show: Sequence[str] = (),
        like: Sequence[Any] | None = None,
        unlike: Sequence[Any] | None = None,
        exact: bool = False,
    ) -> "Results":
        """Find rows by meaning, by words or by example, as `codomain search` does.

        Parameters
        ----------
        query : str or array of shape (d,), optional
            Words or a sentence, encoded by the encoder that the space names; or a vector of that encoder.
        k : int, default=10
            Rows to return.
        where : str, optional
            A condition on columns, also on what the study found, such as "year >= 2000 and group == 3".
        mode : {"both", "meaning", "words"}, default="both"
            How to look.
        show : sequence of str, default=()
            Columns, also of what the study found, to print beside each hit.
        like, unlike : sequence of ids, optional
            Rows to be near to, and far from.
        exact : bool, default=False
            Compare with every row, however many there are.

        Returns
        -------
        Results
            The hits, best first: a sequence that shows itself; `to_pandas`, `to_polars` and `to_arrow` make a table.

        Raises
        ------
        UserError
            When there is nothing to look for, or the encoder cannot be used.
        """
        from codomain.workbench.search import search_space

        wanted = isinstance(query, str) and bool(query) and mode != "words"
        space = self._opened
        return search_space(
            space, query, like=like, unlike=unlike, k=k, mode=mode, where=where, exact=exact,
            show=[show] if isinstance(show, str) else show, encoder=space.own_encoder if wanted else None,
        )  # fmt: skip

    def like(
        self, *ids: object, k: int = 10, where: str | None = None, unlike: Sequence[Any] = (), show: Sequence[str] = ()
    ) -> "Results":
        """Find rows like those with these ids.

        Parameters
        ----------
        ids : int or str
            Of rows to be near to, as they stand in the id column.
        k : int, default=10
            Rows to return; the rows themselves are not among them.
        where : str, optional
            A condition on columns.
        unlike : sequence of ids, default=()
            Rows to be far from.
        show : sequence of str, default=()
            Columns to print beside each hit.

        Returns
        -------
        Results
            The hits, best first.
        """
        return self.search(like=list(ids), k=k, where=where, unlike=list(unlike) or None, show=show)

    @property
    def groups(self) -> Table:
        """The groups that the study found, the largest first: number, name, size, words and stability (0 to 1)."""
        part = self._opened.part(GroupsPart.name)
        assert isinstance(part, GroupsPart)
        found = part.groups
        rows = pa.table({
            "group": pa.array([one["id"] for one in found], pa.int32()),
            "name": pa.array([one["name"] for one in found], pa.string()),
            "size": pa.array([one["size"] for one in found], pa.int64()),
            "words": pa.array([list(one["words"]) for one in found], pa.list_(pa.string())),
            "stability": pa.array([one["stability"] for one in found], pa.float64()),
        })  # fmt: skip
        alone = int(np.sum(np.asarray(part.labels) < 0))
        return Table(rows, [f"{len(found):,} groups; {alone:,} of {len(self._opened):,} rows are in none."])

    @property
    def labels(self) -> Table:
        """The label of every row beside its id: what `codomain label` predicted, else the column that holds labels."""
        space = self._opened
        ids, part = space.rows([space.columns[0]]), space.parts.find(LabelsPart)
        if part is not None and part.fresh:
            for name, values in label_columns(space).items():
                ids = ids.append_column(f"codomain_{name}" if name in ids.column_names else name, pa.array(values))
            return Table(ids, [f"Labels of {len(space):,} rows, predicted from those that people gave."])
        if space.roles.label is None:
            raise UserError(
                f"{space.path} has no labels.",
                needed="a column of labels, or some labels to predict the others from",
                todo=f"codomain label {space.path}",
            )
        rows = space.rows([space.roles.label])
        return Table(ids.append_column(rows.schema.field(0), rows.column(0)), [f"The column {space.roles.label!r}."])

    @property
    def audit(self) -> Table:
        """What deserves a second look, worst first within each check: check, ids of the row and the other, and why."""
        part = self._opened.part(AuditPart.name)
        assert isinstance(part, AuditPart)
        found = [(check["kind"], one) for check in part.checks for one in check["findings"]]
        numbers = pa.array([one["row"] for _, one in found], pa.int64())
        others = pa.array([one["other"] for _, one in found], pa.int64())
        ids = self._opened.ids
        rows = pa.table({
            "check": pa.array([kind for kind, _ in found], pa.string()),
            "row": numbers,
            "id": ids.take(numbers),
            "other": ids.take(others),
            "score": pa.array([one["score"] for _, one in found], pa.float64()),
            "why": pa.array([one["why"] for _, one in found], pa.string()),
        })  # fmt: skip
        return Table(rows, [f"{check['title']}: {check['says']}" for check in part.checks])

    def compare(
        self, other: "Questions | Space | str | Path | ArrayLike", *, n_neighbors: int = 10, random_state: int = 0
    ) -> "Compared":
        """Say how alike this space and another are, beside what chance gives.

        Parameters
        ----------
        other : Study, Space, str, Path or array-like
            A space of the same items, its study, its folder, a file of vectors, or an array. Rows are paired by id
            where both have ids, else by row number.
        n_neighbors : int, default=10
            Length of the lists of nearest rows.
        random_state : int, default=0
            Seed of draws and nulls.

        Returns
        -------
        Compared
            It shows itself; `write` makes the page with both maps.
        """
        from codomain.workbench.compare.run import compare_spaces

        one = other._opened if isinstance(other, Questions) else other
        return compare_spaces(self._opened, one, n_neighbors=n_neighbors, random_state=random_state)

    def plot_map(self, ax: "Axes | None" = None, *, color: str = "group") -> "Axes":
        """Draw the map; see `codomain.workbench.plot_map`."""
        from codomain.workbench.plots import plot_map

        return plot_map(self._opened, ax, color=color)

    def plot_front(self, ax: "Axes | None" = None) -> "Axes":
        """Draw recall against bytes of every size that was tried; see `codomain.workbench.plot_front`."""
        from codomain.workbench.plots import plot_front

        return plot_front(self._opened, ax)

    def plot_health(self, ax: "Axes | None" = None) -> "Axes":
        """Draw each measure of health beside what chance gives; see `codomain.workbench.plot_health`."""
        from codomain.workbench.plots import plot_health

        return plot_health(self._opened, ax)

    def plot_learning_curve(self, ax: "Axes | None" = None) -> "Axes":
        """Draw accuracy against the number of labels; see `codomain.workbench.plot_learning_curve`."""
        from codomain.workbench.plots import plot_learning_curve

        return plot_learning_curve(self._opened, ax)


class Opened(Questions, Space):
    """A space that answers questions; `codomain.open` and `codomain.study` return it.

    A `Space` knows what lies in its folder and imports no room. This is the same view with the rooms' answers on it, so
    it lives in the workbench, which may import them; whatever takes a `Space` takes it too. In a notebook it shows what
    is in the space, what is wrong with it, how small it can be, and its map.

    Parameters
    ----------
    path : Path
        Folder of the space.
    manifest : Manifest
        The generation.
    trusted : iterable of str, default=()
        Files that this process has just written or checked.
    """

    @property
    def _opened(self) -> "Opened":
        return self

    @cached_property
    def own_encoder(self) -> "Encoder | None":
        """The encoder that the space names, loaded once."""
        from codomain.workbench.encoders import encoder_of

        return encoder_of(self)

    def _repr_html_(self) -> str:
        return screen(self)


def open(path: str | Path, *, generation: int | None = None, mend: bool = False) -> Opened:
    """Open a space for reading and asking; nothing is locked or written.

    `codomain.space.open` is the same without the questions: it imports no room.

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
    Opened
        Every file of it up to 1 GiB in all has matched its seal; the rest is checked when first read.

    Raises
    ------
    DamagedError
        Naming the file that has changed or is missing.
    UserError
        When there is no space, no such generation, or a newer version wrote it.
    """
    return Opened.of(codomain.space.open(path, generation=generation, mend=mend))


def path_of(source: object) -> str | Path | None:
    """Return the path that an argument is or has, as a space and what a study returns have; None for rows."""
    if isinstance(source, str | Path):
        return source
    inner = getattr(source, "space", source)
    return inner.path if isinstance(inner, Space) else None
