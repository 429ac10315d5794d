"""How a vector is compressed: projection, code and rescoring; learned from rows, and then the codes of all rows."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import ArrayLike

from codomain.core import UserError
from codomain.core.maths.blocks import unit_blocks
from codomain.core.maths.rows import Floats, Ints, finite_unit_rows
from codomain.shrink.index.kinds import Index, index_of
from codomain.shrink.index.learn import Axes, learn
from codomain.shrink.index.spec import Spec
from codomain.space import ShrinkPart

TRAIN_ROWS = 20_000


class Recipe(Spec):
    """How a vector is compressed.

    Vectors are compared by cosine: rows and queries are scaled to length 1 first.

    Parameters
    ----------
    project : {"none", "pca", "truncate", "opq", "itq"}, default="none"
        "pca" keeps the directions that hold most of the inner products (uncentred: subtracting a mean changes
        inner products); "truncate" keeps the first columns and scales them to length 1 again; "opq" learns the
        rotation after which product codes of 4 bits lose least (Ge et al. 2013), "itq" centres, keeps the directions
        that vary most and learns the rotation whose signs lose least (Gong and Lazebnik 2011).
    width : int, default=0
        Columns kept by the projection; 0 without one.
    code : str, default="int8"
        "f32", "f16", "int8", "int6", "int4"; "binary" (one sign bit a column); "rabitq1" to "rabitq8" (bits a
        column with a correction for each row); "pq96x4" (96 subvectors, 4 bits each; 8 bits also work); "fill64"
        (64 bytes a row, shared among the principal directions and entropy coded; it has its own projection, so it
        takes neither a projection nor rescoring); "signs" (one bit a column, with rescoring in int8 and without a
        projection: the fastest to search).
    rescore : {"none", "int8", "f32"}, default="none"
        A second, finer copy of the whole vector that ranks the best candidates of the code again.
    depth : int, default=10
        Candidates rescored for each hit; not used without rescoring.
    lists, probe : int, default=0
        For product codes of 4 bits with rescoring in int8 and without a projection: lists, each of the rows near a
        centre, from 2 to 65,535, and how many of them a query reads; 0 and 0 for none.

    Raises
    ------
    UserError
        When a part is not one of those above.
    """

    def fit(self, X: Any, *, train: Ints | None = None, random_state: int = 0) -> "FittedRecipe":
        """Learn projection and code from some rows of X; nothing is encoded yet.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Array, memory map or a space's vectors.
        train : ndarray of int, default=None
            Rows to learn from, so that held-out rows stay out; None draws up to 20,000.
        random_state : int, default=0
            Seed of the draw and of the rotation.

        Returns
        -------
        FittedRecipe
            Empty: `encode` adds the rows.

        Raises
        ------
        UserError
            When there are fewer rows than codewords or directions to learn, or more columns are wanted than exist.
        """
        rng = np.random.default_rng(random_state)
        if train is None:
            train = np.sort(rng.permutation(X.shape[0])[:TRAIN_ROWS])
        return self.learn(finite_unit_rows(X[train]), rng, train=train)

    def learn(
        self, sample: Floats, rng: np.random.Generator, *, train: Ints | None = None, axes: Axes | None = None
    ) -> "FittedRecipe":
        """Fit on rows of length 1 in memory; `train` has their row numbers, `axes` the result of `axes_of`."""
        return FittedRecipe(self, learn(self, sample, rng, axes), train)


class FittedRecipe:
    """A recipe with what it learned, and the codes of the rows it was given.

    Parameters
    ----------
    recipe : Recipe
        What was fitted.
    index : Index
        Takes rows of length 1 in their full width; everything from projection to rescoring happens inside, so a
        saved faiss index also works in plain faiss.
    train : ndarray of int, default=None
        Rows that it learned from; not saved.
    """

    def __init__(self, recipe: Recipe, index: Index, train: Ints | None = None) -> None:
        self.recipe, self.index, self.train = recipe, index, train

    def __len__(self) -> int:
        return self.index.ntotal

    def __repr__(self) -> str:
        return f"<{self.recipe.name}, {self.bytes_per_vector:,.0f} bytes, {len(self):,} rows>"

    @property
    def n_features(self) -> int:
        """Columns of a vector before compression."""
        return self.index.d

    @property
    def bytes_per_vector(self) -> float:
        """Bytes of everything saved, divided by the rows: codes, rescoring store, codebooks and projection."""
        return float(len(self.index.to_bytes()) / max(len(self), 1))

    @property
    def scan_bytes(self) -> int:
        """Bytes of code that a search reads for each row, before rescoring."""
        return self.index.scan_bytes()

    def encode(self, X: Any) -> Self:
        """Add every row of X, block by block; memory is one block and the codes.

        Raises
        ------
        UserError
            When X has another width, or a NaN.
        """
        self._check_width(X.shape[1])
        for _, block in unit_blocks(X):
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
            Cosines by the code or the rescoring store, best first.
        rows : ndarray of shape (n_queries, k)
            Row numbers; -1 where the code found no more.
        """
        given = np.array(Q, dtype=np.float32, ndmin=2, copy=None, order="C")
        queries = finite_unit_rows(given)
        self._check_width(queries.shape[1])
        if not 1 <= k <= len(self):
            raise UserError(f"k={k} hits of {len(self)} rows.", needed=f"k from 1 to {len(self)}")
        scores, rows = self.index.search(queries, k)
        if queries is not given:  # some did not have length 1, so some may have no direction: cosine 0 with every row
            empty = ~queries.any(axis=1)
            scores[empty], rows[empty] = 0, np.arange(k)
        return scores, rows

    def candidates(self, Q: Floats, k: int) -> Ints:
        """Rows that the code without rescoring ranks first; Q has rows of length 1."""
        return self.index.candidates(Q, min(k, len(self)))

    def project(self, rows: Floats) -> Floats:
        """Rows of length 1 after the projection, before coding."""
        return self.index.project(rows)

    def save(self) -> dict[str, Any]:
        """Return the files of a part: `index.` with faiss, fill, signs or lists (bytes), and `recipe.json` (dict)."""
        return {
            ShrinkPart.index(self.index.suffix): self.index.to_bytes(),
            ShrinkPart.recipe: {"recipe": self.recipe.to_dict(), "name": self.recipe.name, "faiss": faiss.__version__},
        }

    @classmethod
    def load(cls, files: Mapping[str, Any]) -> Self:
        """Read what `save` returned, from values or from paths.

        The caller checks the seal first: faiss crashes on a damaged file.
        """
        record, index = files[ShrinkPart.recipe], files[str(ShrinkPart.index_of(files))]
        if isinstance(record, str | Path):
            record = json.loads(Path(record).read_text(encoding="utf-8"))
        data = Path(index).read_bytes() if isinstance(index, str | Path) else index
        return cls(Recipe.from_dict(record["recipe"]), index_of(data))

    def _check_width(self, width: int) -> None:
        if width != self.n_features:
            raise UserError(f"The vectors have {width} columns.", needed=f"{self.n_features}, as when it was fitted")
