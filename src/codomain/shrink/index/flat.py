"""An index of faiss behind the interface of `Index`: projection, code and rescoring store, one inside the other."""

from typing import Any, ClassVar, Self

import faiss
import numpy as np

from codomain.core.maths.rows import Floats, Ints


class FaissIndex:
    """An index of faiss, or a chain of them.

    Parameters
    ----------
    faiss : faiss.Index
        Trained; rescoring outermost, then projections, then the code.
    """

    suffix: ClassVar[str] = "faiss"
    magic: ClassVar[bytes] = b""  # faiss writes its own, one for each kind

    def __init__(self, faiss: Any) -> None:
        self.faiss, self.d = faiss, int(faiss.d)

    @property
    def ntotal(self) -> int:
        """Rows it holds."""
        return int(self.faiss.ntotal)

    def add(self, rows: Floats) -> None:
        """Code rows of length 1 and keep them."""
        self.faiss.add(rows)

    def search(self, Q: Floats, k: int) -> tuple[Floats, Ints]:
        """Return cosines and rows, both of shape (n_queries, k), best first; row -1 where there are no more."""
        if isinstance(self.faiss, faiss.IndexRefine):  # for more candidates than there are rows, it returns none
            refine: Any = faiss.IndexRefineSearchParameters
            params = refine(k_factor=min(float(self.faiss.k_factor), self.ntotal / k))
            scores, rows = self.faiss.search(Q, k, params=params)
            return scores, rows
        scores, rows = self.faiss.search(Q, k)
        if isinstance(code := self._code(), faiss.IndexLSH):  # it counts differing bits, which give a cosine
            scores = np.cos(scores * (np.pi / code.nbits), dtype=np.float32)
        return scores, rows

    def candidates(self, Q: Floats, k: int) -> Ints:
        """Rows that the code without rescoring ranks first."""
        return np.asarray(self._first().search(Q, k)[1], dtype=np.int64)

    def project(self, rows: Floats) -> Floats:
        """Rows of length 1 after the projection, before coding."""
        index = self._first()
        while isinstance(index, faiss.IndexPreTransform):
            chain: Any = index.chain
            for step in range(chain.size()):
                rows = faiss.downcast_VectorTransform(chain.at(step)).apply(rows)
            index = faiss.downcast_index(index.index)
        return rows

    def scan_bytes(self) -> int:
        """Bytes of code that a search reads for each row, before rescoring."""
        return int(self._code().sa_code_size())

    def to_bytes(self) -> bytes:
        """Return everything as one file, which plain faiss reads too."""
        return bytes(faiss.serialize_index(self.faiss).tobytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote; faiss crashes on a damaged file."""
        return cls(faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8)))

    def _first(self) -> Any:
        """Return the index of the first stage, under rescoring."""
        return faiss.downcast_index(self.faiss.base_index) if isinstance(self.faiss, faiss.IndexRefine) else self.faiss

    def _code(self) -> Any:
        """Return the index that holds the codes, under rescoring and projection."""
        index = self._first()
        while isinstance(index, faiss.IndexPreTransform):
            index = faiss.downcast_index(index.index)
        return index
