"""Say how a vector is made small: project, code, and keep a store to rescore from."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from codomain.core import UserError
from codomain.shrink.index.rows import Ints, take

if TYPE_CHECKING:
    from codomain.shrink.index.fitted import FittedRecipe

TRAIN_ROWS = 20_000
SCALARS = ("f16", "int8", "int6", "int4")
PQ = re.compile(r"pq([1-9]\d*)x([48])")
RABITQ = re.compile(r"rabitq([1-8])")
FILL = re.compile(r"fill([1-9]\d*)")
_PQ4 = re.compile(r"pq[1-9]\d*x4")


@dataclass(frozen=True)
class Recipe:
    """How a vector is made small.

    Vectors are compared by cosine: rows and queries are scaled to length 1 first.

    Parameters
    ----------
    project : {"none", "pca", "truncate", "opq", "itq"}, default="none"
        "pca" keeps the directions that hold most of the inner products (uncentred: subtracting a mean changes
        inner products); "truncate" keeps the first columns and scales them to length 1 again; "opq" learns the turn
        that product codes of 4 bits lose least after (Ge et al. 2013), "itq" centres, keeps the directions that vary
        most and learns the turn whose signs lose least (Gong and Lazebnik 2011).
    width : int, default=0
        Columns kept by the projection; 0 without one.
    code : str, default="int8"
        "f32", "f16", "int8", "int6", "int4"; "binary" (one sign bit a column); "rabitq1" to "rabitq8" (bits a
        column with a correction for each row); "pq96x4" (96 subvectors, 4 bits each; 8 bits also work); "fill64"
        (64 bytes a row, shared among the principal directions and entropy coded; projects by itself, so it takes
        neither a projection nor rescoring); "signs" (one bit a column, with rescoring in int8 and without a
        projection: the fastest to search).
    rescore : {"none", "int8", "f32"}, default="none"
        A second, finer copy of the whole vector that orders the best candidates of the code again.
    depth : int, default=10
        Candidates rescored for each hit asked for; not used without rescoring.
    lists, probe : int, default=0
        For product codes of 4 bits with rescoring in int8 and without a projection: centres around which the rows
        lie in lists, from 2 to 65,535, and the lists that a query reads; 0 and 0 for none.

    Raises
    ------
    UserError
        When a part is not one of those above.
    """

    project: str = "none"
    width: int = 0
    code: str = "int8"
    rescore: str = "none"
    depth: int = 10
    lists: int = 0
    probe: int = 0

    def __post_init__(self) -> None:
        wrong = [
            f"{field}={getattr(self, field)!r}"
            for field, good in (
                ("project", self.project in ("none", "pca", "truncate", "opq", "itq")
                 and (self.project != "opq" or bool(_PQ4.fullmatch(self.code)))
                 and (self.project != "itq" or self.code == "binary")),
                ("width", self.width > 0 if self.project != "none" else self.width == 0),
                ("code", self.code in (*SCALARS, "f32", "binary") or bool(PQ.fullmatch(self.code))
                 or bool(RABITQ.fullmatch(self.code))
                 or (bool(FILL.fullmatch(self.code)) and (self.project, self.rescore) == ("none", "none"))
                 or (self.code, self.project, self.rescore) == ("signs", "none", "int8")),
                ("rescore", self.rescore in ("none", "int8", "f32")),
                ("depth", self.depth >= 1),
                ("lists", self.lists == 0 or (1 < self.lists < 2**16 and bool(_PQ4.fullmatch(self.code))
                 and (self.project, self.rescore) == ("none", "int8"))),
                ("probe", 0 < self.probe <= self.lists if self.lists else self.probe == 0),
            )
            if not good
        ]  # fmt: skip
        if wrong:
            raise UserError(
                f"No such recipe: {', '.join(wrong)}.",
                needed="project none|pca|truncate|opq (for pqMx4)|itq (for binary), a width above 0 but for none, "
                f"code f32|{'|'.join(SCALARS)}|binary|rabitq1..8|pqMx4|pqMx8|fillM (alone)|signs (with int8 alone), "
                "rescore none|int8|f32, depth from 1, lists from 2 and a probe up to them for pqMx4 with int8 alone",
            )

    @property
    def name(self) -> str:
        """What people read: "pca 192 -> int8"."""
        steps = [f"{self.project} {self.width}"] if self.width else []
        steps += [f"{self.probe} of {self.lists} lists"] if self.lists else []
        second = [] if self.rescore == "none" else [f"best {self.depth}k by {self.rescore}"]
        return " -> ".join([*steps, self.code, *second])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(**record)

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
            When there are fewer rows than codewords or directions to learn, or more columns are asked for than exist.
        """
        from codomain.shrink.index.learn import learn

        rng = np.random.default_rng(random_state)
        if train is None:
            train = np.sort(rng.permutation(X.shape[0])[:TRAIN_ROWS])
        return learn(self, take(X, train), rng, train=train)
