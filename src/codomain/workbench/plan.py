"""What a study will cost, said before it begins."""

import time
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codomain.encode import Encoder, TokenCounts, count_tokens
from codomain.space import Source, Space, text_hashes
from codomain.workbench.encoders import encoded_rows

# Measured on two cores: seconds per row and dimension of everything linear, and of one pair of rows and dimension.
_LINEAR = 2.5e-6
_PAIRWISE = 1.3e-11
_TRIAL_ROWS = 32
_COUNTED_ROWS = 2000  # some milliseconds each thousand; the report counts all


@dataclass(frozen=True)
class Plan:
    """Rows, bytes and seconds to expect.

    Parameters
    ----------
    rows, dims : int
        Shape of the space.
    to_encode : int
        Rows that have no vector yet.
    encode_seconds : float or None
        Time to encode them; None when trying the encoder would cost money.
    stage_seconds : float
        Time for all stages.
    encoder : str
        The encoder in one line.
    tokens : TokenCounts or None, default=None
        What the encoder reads of the texts, counted on at most 2,000 of them; None when it does not say.
    """

    rows: int
    dims: int
    to_encode: int
    encode_seconds: float | None
    stage_seconds: float
    encoder: str
    tokens: TokenCounts | None = None

    @classmethod
    def of(cls, found: Source, maker: Encoder | None, dims: int, before: Space | None) -> Self:
        """Time the encoder on a few rows and count what is left to do."""
        rows = len(found)
        to_encode, seconds, tokens = 0, 0.0 if found.vectors is not None else None, None
        if found.vectors is None and maker is not None:
            column: Any = found.rows[found.roles.text]
            hashes = text_hashes(str(text) for text in column.to_pylist())
            wanted, first = np.unique(hashes, return_index=True)
            new = first[~np.isin(wanted, before.hashes[encoded_rows(before)])] if before else first
            to_encode = len(new)
            if not maker.identity.uri.startswith("openai:"):
                seconds = _seconds_per_row(maker, column, new) * to_encode
            tokens = count_tokens(maker, _pick_texts(column, np.arange(rows), _COUNTED_ROWS))
        stages = rows * dims * _LINEAR + float(rows) ** 2 * dims * _PAIRWISE
        name = maker.identity.describe() if maker else "vectors as given"
        return cls(rows, dims, to_encode, seconds, stages, name, tokens)

    def line(self) -> str:
        """Return the plan as one line."""
        size = self.rows * self.dims * 4
        encode = ""
        if self.to_encode:
            took = "time not known" if self.encode_seconds is None else rough_time(self.encode_seconds)
            encode = f"encode {self.to_encode:,} texts with {self.encoder} ({took}), "
        shape = f"{self.rows:,} rows x {self.dims} dimensions, {_bytes(size)}"
        return f"plan: {shape}: {encode}study ({rough_time(self.stage_seconds)})"

    def texts_line(self) -> str:
        """Return what the encoder will not read or know of the texts as one line; empty when it reads all."""
        said = self.tokens.sentences() if self.tokens is not None else []
        if not said:
            return ""
        counted = len(self.tokens.read) if self.tokens is not None else 0
        some = f" (counted on {counted:,} of {self.rows:,} rows)" if counted < self.rows else ""
        return f"texts: {'; '.join(said)}{some}"


def _seconds_per_row(maker: Encoder, column: Any, new: NDArray[np.intp]) -> float:
    if not len(new):
        return 0.0
    texts = _pick_texts(column, new, _TRIAL_ROWS)
    maker.encode(texts[:1])  # the first call loads and warms up
    began = time.perf_counter()
    maker.encode(texts)
    return (time.perf_counter() - began) / len(texts)


def _pick_texts(column: Any, rows: NDArray[np.intp], most: int) -> list[str]:
    """Return the texts of at most so many rows, evenly spread; a missing one is empty."""
    picked = rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)]
    return [str(column[int(row)].as_py() or "") for row in picked]


def rough_time(seconds: float) -> str:
    """Return a rough time in words."""
    if seconds < 10:
        return "some seconds"
    if seconds < 100:
        return f"about {max(10, round(seconds, -1)):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def _bytes(count: float) -> str:
    power = min(int(np.log10(max(count, 1)) // 3), 4)
    return f"{count / 1000**power:.0f} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"
