"""Which encoder made a vector: the fields that must agree before two vectors may be compared."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from codomain.core.errors import EncoderMismatch


@dataclass(frozen=True)
class EncoderIdentity:
    """What an encoder is, so that vectors of two encoders are never mixed.

    Parameters
    ----------
    name : str
        Its name for people; "given" for vectors that came without an encoder.
    sha256 : str
        Hash of its weights, empty when there are none to hash.
    dim : int
        Number of columns of its vectors.
    pooling, prefix_row, prefix_query : str, default=""
        How token vectors become one vector, and what is put before a row's and a query's text.
    normalised : bool, default=True
        Whether its vectors have length 1.
    max_tokens : int, default=0
        Most tokens read from a text at once; 0 when that is not known.
    uri : str, default=""
        Where to find it again. Not compared, since two copies of one model in two folders are the same encoder.
    long : {"", "mean"}, default=""
        "mean" when longer texts are read in windows whose vectors are averaged; empty when the rest is not read, or
        that is not known.
    """

    name: str
    sha256: str
    dim: int
    pooling: str = ""
    prefix_row: str = ""
    prefix_query: str = ""
    normalised: bool = True
    max_tokens: int = 0
    uri: str = ""
    long: str = ""

    @classmethod
    def given(cls, dim: int, name: str = "given") -> Self:
        """Return the identity of vectors that came without an encoder."""
        return cls(name=name, sha256="", dim=dim, normalised=False)

    @property
    def encodes(self) -> bool:
        """Whether this names something that can turn a text into a vector."""
        return bool(self.uri)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote; a field this version does not know is an error, not a guess."""
        return cls(**record)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        record = asdict(self)
        if not self.long:  # records from before there was such a field have none, and hashes over them must not change
            del record["long"]
        return record

    def describe(self) -> str:
        """Return one line of text for people."""
        return f"{self.name}, {self.dim}-d" + (f", weights {self.sha256[:12]}" if self.sha256 else "")

    def check_same(self, other: Self, *, todo: str = "") -> None:
        """Refuse when `other` is not the same encoder.

        Parameters
        ----------
        other : EncoderIdentity
            The encoder to compare with.
        todo : str, default=""
            The command that solves it, for the error.

        Raises
        ------
        EncoderMismatch
            Naming every field that differs.
        """
        differ = [
            f"{field.name}: {getattr(self, field.name)!r} here, {getattr(other, field.name)!r} there"
            for field in fields(self)
            if field.name != "uri" and getattr(self, field.name) != getattr(other, field.name)
        ]
        if differ:
            raise EncoderMismatch(
                f"Two encoders would be mixed: {self.describe()} and {other.describe()} ({'; '.join(differ)}).",
                needed=f"vectors from {self.describe()}",
                todo=todo or "encode both with the same encoder",
            )
