"""Search a space from its path: the encoder and the index that belong to it are found by themselves."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from numpy.typing import ArrayLike

import codomain.space
from codomain.encode import Encoder
from codomain.search import Results, search
from codomain.space import ShrinkPart, Space
from codomain.workbench.encoders import check_studied, encoder_of
from codomain.workbench.found import found_columns

if TYPE_CHECKING:
    from codomain.shrink import FittedRecipe

# Up to so many bytes of vectors one question is compared with every row: that is sooner done than loading an index,
# whose candidates lie all over the vectors, so that most blocks of these are read and checked all the same. Loading
# still cost more at 1.1 GB (docs/evidence/search.md); where it begins to pay is reckoned from that, not measured.
_INDEX_ABOVE = 8 << 30


def search_space(
    space: str | Path | Space,
    query: str | ArrayLike | None = None,
    *,
    like: Sequence[str] | None = None,
    unlike: Sequence[str] | None = None,
    k: int = 10,
    mode: Literal["both", "meaning", "words"] = "both",
    where: str | None = None,
    exact: bool = False,
    show: Sequence[str] = (),
    encoder: Encoder | None = None,
) -> Results:
    """Search a space.

    While an `add` or a study is at work, the generation before it is searched, and a note says so.

    One question is compared with every row, which takes less time than loading the index of the part "shrink"; that
    is used only above 8 GiB of vectors. For many questions load it once and hand it to `codomain.search.search`.

    Parameters
    ----------
    space : str, Path or Space
        A space, or its folder.
    query : str or array of shape (d,), optional
        Words or a sentence, or a vector of the space's encoder.
    like, unlike : sequence of str, optional
        Ids of rows to be near to, and far from.
    k : int, default=10
        Rows to return.
    mode : {"both", "meaning", "words"}, default="both"
        How to look.
    where : str, optional
        A condition on columns of the table, or on what the study found: "group", "group_name", "map_x", "map_y",
        "kept", "is_duplicate" and the other flags, and "label" where there are labels. Where the table has such a
        column, what the study found is "codomain_group" and so on.
    exact : bool, default=False
        Compare with every row, however many there are.
    show : sequence of str, default=()
        Columns, also of those, to print beside each hit.
    encoder : Encoder, optional
        The one that the space names, where it is loaded already.

    Returns
    -------
    Results
        The hits, best first.
    """
    opened, note = find_studied(space if isinstance(space, Space) else codomain.space.open(space))
    check_studied(opened)
    if not isinstance(query, str) or not query or mode == "words":
        encoder = None
    else:
        encoder = encoder or encoder_of(opened)
    index = None if exact else index_of(opened)
    results = search(
        opened, query, like=like, unlike=unlike, encoder=encoder, index=index, k=k, mode=mode, where=where, exact=exact,
        found=found_columns(opened) if where is not None or show else None, show=show,
    )  # fmt: skip
    results.notes[:0] = note
    return results


def index_of(space: Space) -> "FittedRecipe | None":
    """Return the index of the part "shrink", where comparing with every row takes longer than loading it.

    Parameters
    ----------
    space : Space
        An open space.

    Returns
    -------
    FittedRecipe or None
        None up to 8 GiB of vectors, and where no recipe was certified.
    """
    form = space.parts.find(ShrinkPart)
    size = len(space) * space.shape[1] * space.vectors.dtype.itemsize
    if size <= _INDEX_ABOVE or not form or not (files := form.fitted):
        return None
    from codomain.shrink import FittedRecipe

    return FittedRecipe.load(files)


def find_studied(space: Space) -> tuple[Space, list[str]]:
    """Return the last generation that was studied to its end, and a note when that is not the present one.

    Parameters
    ----------
    space : Space
        An open space.

    Returns
    -------
    space, notes
        The space itself where it is studied, was never, or is an earlier generation; then there is no note.
    """
    if space.studied:
        return space, []
    log = space.log()
    studied = [entry.number for entry in log if entry.studied]
    if not studied or log[-1].number != space.generation:  # an earlier generation was asked for
        return space, []
    last = codomain.space.open(space.path, generation=max(studied))
    return last, [
        f"These are the {len(last):,} rows of generation {last.generation}: the present {len(space):,} rows are being "
        f"studied, or their study was interrupted. To finish it: codomain study {space.path}"
    ]
