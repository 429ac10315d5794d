"""What a head sees of a row: the row itself at one scale, and where it pays a Gaussian kernel to landmarks."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

from codomain.core import unit_rows

BUDGET = 2e10  # multiplications that kernel features and solving for them may take: about a second on two cores
LEAST, MOST = 400, 1_000  # landmarks: with fewer, many rows gain little; more are slow to solve


@dataclass(frozen=True)
class Rows:
    """How features are made of rows.

    Attributes
    ----------
    scale : float
        What rows are divided by; 0 scales each to length 1.
    landmarks : ndarray of shape (n_landmarks, n_features) or None
        Rows, scaled, to which kernel values are taken; without any, features are the scaled rows.
    width : float
        What squared distances are divided by in the kernel.
    """

    scale: float
    landmarks: NDArray[Any] | None = None
    width: float = 1.0

    @classmethod
    def scales(cls, X: NDArray[Any]) -> list["Rows"]:
        """Return the ways worth a trial: each row at length 1 and, where lengths differ, one scale for all."""
        lengths = np.linalg.norm(X.astype(np.float64), axis=1)
        if lengths.max() <= 1.001 * lengths.min():
            return [cls(0.0)]
        return [cls(0.0), cls(float(np.sqrt(np.mean(lengths**2))))]

    def features(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return features of shape (n_samples, n_features) or, with landmarks, (n_samples, n_landmarks)."""
        rows = X / X.dtype.type(self.scale) if self.scale else unit_rows(X)
        if self.landmarks is None:
            return rows
        squares = euclidean_distances(rows, self.landmarks.astype(X.dtype), squared=True)
        squares /= -self.width
        return np.asarray(np.exp(squares, out=squares))

    def with_kernel(
        self, rows: NDArray[Any], rng: np.random.RandomState, more: NDArray[Any] | None = None
    ) -> tuple["Rows", NDArray[Any]] | None:
        """Draw landmarks from scaled rows; also return what turns kernel values into features of that kernel.

        The width is the median squared distance between landmarks. None where time allows too few landmarks. With
        `more` scaled rows, these fill up the landmarks.
        """
        n, d = rows.shape
        m = min(int((np.sqrt(d**2 + 4 * BUDGET / n) - d) / 2), MOST)
        if n > m and m < LEAST:
            return None
        landmarks = rows if n <= m else rows[np.sort(rng.choice(n, m, replace=False))]
        if more is not None and n < m:
            landmarks = np.concatenate(
                [rows, more[np.sort(rng.choice(len(more), min(m - n, len(more)), replace=False))]]
            )
        squares = euclidean_distances(landmarks, squared=True)
        width = float(np.median(squares[squares > 0])) if (squares > 0).any() else 1.0
        values, U = np.linalg.eigh(np.exp(-squares.astype(np.float64) / width))
        kept = values > 1e-6 * values[-1]
        whiten = (U[:, kept] / np.sqrt(values[kept])).astype(rows.dtype)
        return replace(self, landmarks=landmarks, width=width), whiten

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the landmarks, where there are any."""
        return {} if self.landmarks is None else {"landmarks": self.landmarks}

    def params(self) -> dict[str, float]:
        """Return the numbers."""
        return {"scale": self.scale, "width": self.width}

    @classmethod
    def from_state(cls, arrays: dict[str, NDArray[Any]], params: dict[str, float]) -> "Rows":
        """Return what `arrays` and `params` described."""
        landmarks = np.asarray(arrays["landmarks"]) if "landmarks" in arrays else None
        return cls(params["scale"], landmarks, params["width"])
