"""A recipe with what it learned and the codes of some rows: add, search, save."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import ArrayLike

from codomain.core import UserError
from codomain.shrink.index import lists, signs, waterfill
from codomain.shrink.index.lists import Lists
from codomain.shrink.index.recipe import Recipe
from codomain.shrink.index.rows import Floats, Ints, blocks, unit
from codomain.shrink.index.signs import Signs
from codomain.shrink.index.waterfill import Waterfill
from codomain.space import ShrinkPart

# Indices that are not faiss's: how their file ends, and how it begins.
_OURS: dict[Any, tuple[str, bytes]] = {
    Waterfill: ("fill", waterfill.MAGIC), Signs: ("signs", signs.MAGIC), Lists: ("lists", lists.MAGIC),
}  # fmt: skip


def pack(index: Any) -> bytes:
    """Return an index as the bytes of a file."""
    return index.to_bytes() if type(index) in _OURS else faiss.serialize_index(index).tobytes()


def unpack(data: bytes) -> Any:
    """Return the index that `pack` was given."""
    for kind, (_, magic) in _OURS.items():
        if data.startswith(magic):
            return kind.from_bytes(data)
    return faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))


class FittedRecipe:
    """A recipe with what it learned, and the codes of the rows it was given.

    Parameters
    ----------
    recipe : Recipe
        What was fitted.
    index : faiss.Index, Waterfill, Signs or Lists
        Takes rows of length 1 in their full width; everything from projection to rescoring happens inside, so a
        saved faiss index also works in plain faiss.
    train : ndarray of int, default=None
        Rows that it learned from; not saved.
    """

    def __init__(self, recipe: Recipe, index: Any, train: Ints | None = None) -> None:
        self.recipe, self.index, self.train = recipe, index, train

    def __len__(self) -> int:
        return int(self.index.ntotal)

    def __repr__(self) -> str:
        return f"<{self.recipe.name}, {self.bytes_per_vector:,.0f} bytes, {len(self):,} rows>"

    @property
    def n_features(self) -> int:
        """Columns of a vector before it is made small."""
        return int(self.index.d)

    @property
    def bytes_per_vector(self) -> float:
        """Everything that is saved, over the number of rows: codes, rescoring store, codebooks and projection."""
        return float(len(pack(self.index)) / max(len(self), 1))

    @property
    def scan_bytes(self) -> int:
        """Bytes of code that a search reads for each row, before rescoring."""
        return int(self._coded().sa_code_size())

    def encode(self, X: Any) -> Self:
        """Add every row of X, block by block; memory is one block and the codes.

        Raises
        ------
        UserError
            When X has another width, or a NaN.
        """
        self._check_width(X.shape[1])
        for _, block in blocks(X):
            self.index.add(block)
        return self

    def search(self, Q: ArrayLike, k: int = 10) -> tuple[Floats, Ints]:
        """Find the k rows nearest to each query.

        Parameters
        ----------
        Q : array-like of shape (n_queries, n_features)
            Queries in full width, scaled to length 1 here.
        k : int, default=10
            Hits for each; at most the number of rows.

        Returns
        -------
        scores : ndarray of shape (n_queries, k)
            Cosines as the code or the rescoring store sees them, best first.
        rows : ndarray of shape (n_queries, k)
            Row numbers; -1 where the code found no more.
        """
        given = np.array(Q, dtype=np.float32, ndmin=2, copy=None, order="C")
        queries = unit(given)
        self._check_width(queries.shape[1])
        if not 1 <= k <= len(self):
            raise UserError(f"k={k} hits were asked of {len(self)} rows.", needed=f"k from 1 to {len(self)}")
        params = None
        if self.recipe.rescore != "none" and not isinstance(self.index, Signs | Lists):
            # asked for more candidates than there are rows, faiss returns none
            refine: Any = faiss.IndexRefineSearchParameters
            params = refine(k_factor=min(float(self.recipe.depth), len(self) / k))
        scores, rows = self.index.search(queries, k, params=params)
        scores = self._cosines(scores)
        if queries is not given:  # some did not have length 1, so some may have no direction: cosine 0 with every row
            empty = ~queries.any(axis=1)
            scores[empty], rows[empty] = 0, np.arange(k)
        return scores, rows

    def candidates(self, Q: Floats, k: int) -> Ints:
        """Rows that the code alone, without rescoring, puts first; Q has rows of length 1."""
        if isinstance(self.index, Signs | Lists):
            return self.index.candidates(Q, min(k, len(self)))
        return np.asarray(self._first().search(Q, min(k, len(self)))[1], dtype=np.int64)

    def project(self, rows: Floats) -> Floats:
        """Rows of length 1 as the code sees them before coding."""
        index = self._first()
        while isinstance(index, faiss.IndexPreTransform):
            chain: Any = index.chain
            for step in range(chain.size()):
                rows = faiss.downcast_VectorTransform(chain.at(step)).apply(rows)
            index = faiss.downcast_index(index.index)
        return rows

    def save(self) -> dict[str, Any]:
        """Return the files of a part: `index.` with faiss, fill, signs or lists (bytes), and `recipe.json` (dict)."""
        return {
            ShrinkPart.index(_OURS.get(type(self.index), ("faiss",))[0]): pack(self.index),
            ShrinkPart.recipe: {"recipe": self.recipe.to_dict(), "name": self.recipe.name, "faiss": faiss.__version__},
        }

    @classmethod
    def load(cls, files: Mapping[str, Any]) -> Self:
        """Read what `save` returned, from values or from paths.

        The caller checks the seal first: faiss does not survive a damaged file.
        """
        record, index = files[ShrinkPart.recipe], files[str(ShrinkPart.index_of(files))]
        if isinstance(record, str | Path):
            record = json.loads(Path(record).read_text())
        data = Path(index).read_bytes() if isinstance(index, str | Path) else index
        return cls(Recipe.from_dict(record["recipe"]), unpack(data))

    def _first(self) -> Any:
        """Return the index of the first stage, under rescoring."""
        if self.recipe.rescore == "none" or isinstance(self.index, Signs | Lists):
            return self.index
        return faiss.downcast_index(self.index.base_index)

    def _coded(self) -> Any:
        """Return the index that holds the codes, under rescoring and projection."""
        index = self._first()
        while isinstance(index, faiss.IndexPreTransform):
            index = faiss.downcast_index(index.index)
        return index

    def _cosines(self, scores: Floats) -> Floats:
        """Turn the number of differing bits into the cosine that it stands for; other codes give cosines."""
        if self.recipe.code != "binary" or self.recipe.rescore != "none":
            return scores
        return np.cos(scores * (np.pi / self._coded().nbits), dtype=np.float32)

    def _check_width(self, width: int) -> None:
        if width != self.n_features:
            raise UserError(f"The vectors have {width} columns.", needed=f"{self.n_features}, as when it was fitted")
