"""Labels as people give them: refused in words where they are blank, mixed or not labels at all."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets

from codomain.core import UserError


def whole_labels(y: ArrayLike) -> NDArray[Any]:
    """Return labels of one kind without gaps.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Words, whole numbers or truth values.

    Returns
    -------
    ndarray of shape (n_samples,)
        The same labels.

    Raises
    ------
    UserError
        When some are blank or missing, kinds are mixed, or they are measurements rather than labels.
    """
    labels = np.asarray(y)
    if labels.ndim == 1 and labels.dtype.kind in "OUST":
        blank = [row for row, label in enumerate(labels.tolist()) if _blank(label)]
        if blank:
            some = ", ".join(str(row) for row in blank[:5])
            raise UserError(
                f"{len(blank):,} of {len(labels):,} labels are blank or missing, in rows {some}"
                f"{' and more' if len(blank) > 5 else ''}.",
                needed="a label for every row that is fitted",
                todo="leave the rows without a label out of X and y",
            )
        kinds = sorted({_kind(label) for label in labels.tolist()})
        if len(kinds) > 1:
            raise UserError(
                f"Labels are of different kinds: {' and '.join(kinds)}.",
                needed="labels that are all words or all whole numbers",
                todo="write them all as words, for instance [str(label) for label in y]",
            )
    elif labels.ndim == 1 and labels.dtype.kind == "f":
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
    return labels


def _blank(label: Any) -> bool:
    """Whether a label says nothing: None, not a number, or spaces alone."""
    if isinstance(label, str | bytes):
        return not label.strip()
    return label is None or label != label


def _kind(label: Any) -> str:
    """Return what a label is, in words."""
    return "words" if isinstance(label, str | bytes) else "truth values" if isinstance(label, bool) else "numbers"


def notes(X: NDArray[Any], which: NDArray[np.intp], classes: NDArray[Any]) -> list[str]:
    """Return what a person should know about labels before they trust a head fitted to them."""
    said = []
    alone = np.flatnonzero(np.bincount(which) == 1)
    if len(alone):
        names = ", ".join(repr(name) for name in classes[alone[:5]].tolist())
        said.append(
            f"{len(alone):,} of {len(classes):,} classes have one row ({names}{', ...' if len(alone) > 5 else ''}): "
            "how well they are found is not known."
        )
    _, same = np.unique(np.ascontiguousarray(X).view(f"V{X.dtype.itemsize * X.shape[1]}"), return_inverse=True)
    pairs = np.unique(np.stack([same.ravel(), which]), axis=1)[0]
    torn = np.bincount(pairs)[same.ravel()] > 1
    if torn.any():
        rows = ", ".join(str(row) for row in np.flatnonzero(torn)[:5])
        said.append(
            f"{np.count_nonzero(torn):,} rows equal another row with another label (rows {rows}"
            f"{' and more' if np.count_nonzero(torn) > 5 else ''}): no head can get both right."
        )
    return said
