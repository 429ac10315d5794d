"""The parts of a recipe, which of them fit together, and how it is stored."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from codomain.core import UserError

SCALARS = ("f16", "int8", "int6", "int4")
PQ = re.compile(r"pq([1-9]\d*)x([48])")
RABITQ = re.compile(r"rabitq([1-8])")
FILL = re.compile(r"fill([1-9]\d*)")
_PQ4 = re.compile(r"pq[1-9]\d*x4")


@dataclass(frozen=True)
class Spec:
    """The fields of a recipe, which `Recipe` explains, and their checks."""

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
        """The recipe in words: "pca 192 -> int8"."""
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
