"""Blocks of bytes that hold some rows each: header with checksum, values stored as they are, a range coder's words."""

import struct
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Int, UserError, need

HEAD = struct.Struct("<4sBIII")  # mark, bytes of a number, rows, values stored as they are, checksum of the rows
MARK = b"cdm1"


class Packer:
    """The public methods of a method that packs rows; it defines `_pack`, from rows to a block, and `_unpack`."""

    def compress(self, X: ArrayLike, block: int = 2048) -> list[bytes]:
        """Pack X, of shape (n_samples, n_features), `block` rows at a time; each block can be read without the others.

        A block has about 25 bytes besides its rows.
        """
        check_is_fitted(self)
        if not Int(1).allows(block):
            raise UserError(f"block={block!r}.", needed="a number of rows of at least 1")
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return [self._pack(data[start : start + block]) for start in range(0, len(data), block)]

    def decompress(self, blocks: list[bytes]) -> NDArray[Any]:
        """Unpack some blocks, in the order given, into rows of shape (n_samples, n_features)."""
        check_is_fitted(self)
        if not blocks:
            raise UserError("There is no block.", needed="at least one block that `compress` gave")
        return np.concatenate([unseal(block, self._unpack) for block in blocks])

    def _pack(self, rows: NDArray[Any]) -> bytes:
        raise NotImplementedError

    def _unpack(self, n: int, raw: NDArray[Any], coder: Any, model: Any) -> NDArray[Any]:
        raise NotImplementedError


class StepPacker(Packer):
    """A packer of whole numbers, each column by itself, for a method that learns `lowest_` and `shares_`.

    The last of a column's shares is that of a number out of reach, which is stored as it is.
    """

    lowest_: NDArray[np.int64]
    shares_: list[NDArray[np.float32]]

    def _symbols(self, steps: NDArray[Any]) -> NDArray[np.int64]:
        above, raw = steps - self.lowest_, np.array([len(share) - 1 for share in self.shares_])
        return np.where((above >= 0) & (above < raw), above, raw).astype(np.int64)

    def _raw(self, S: NDArray[np.int64]) -> NDArray[np.bool_]:
        return S == np.array([len(share) - 1 for share in self.shares_])

    def _bits(self, S: NDArray[np.int64], dtype: np.dtype[Any]) -> NDArray[Any]:
        each = [-np.log2(share)[symbols] for share, symbols in zip(self.shares_, S.T, strict=True)]
        bits: NDArray[Any] = np.sum(each, axis=0) + 8 * dtype.itemsize * self._raw(S).sum(axis=1)
        return bits.astype(dtype)

    def _seal(self, S: NDArray[np.int64], rows: NDArray[Any]) -> bytes:
        coder, model = range_encoder()
        for share, symbols in zip(self.shares_, S.T, strict=True):
            coder.encode(symbols.astype(np.int32), model(share))
        return seal(rows, rows.T[self._raw(S).T], coder)

    def _unpack(self, n: int, raw: NDArray[Any], coder: Any, model: Any) -> NDArray[Any]:
        S = np.stack([coder.decode(model(share), n) for share in self.shares_], axis=1).astype(np.int64)
        rows = self._restore(S, raw.dtype).T.copy()
        rows[self._raw(S).T] = raw
        return rows.T.copy()

    def _restore(self, S: NDArray[np.int64], dtype: Any) -> NDArray[Any]:
        raise NotImplementedError


def range_encoder() -> tuple[Any, Any]:
    """Return a new range encoder and a factory of its models: with one table, or with a table given at each call."""
    stream = need("constriction", "code").stream
    return stream.queue.RangeEncoder(), partial(stream.model.Categorical, perfect=False)


def seal(rows: NDArray[Any], raw: NDArray[Any], coder: Any) -> bytes:
    """Make a block of what an encoder was given; `rows` are the rows that unpacking must return, of any float type."""
    kind = f"<f{rows.itemsize}"
    head = HEAD.pack(MARK, rows.itemsize, len(rows), len(raw), _checksum(rows))
    return b"".join([head, raw.astype(kind).tobytes(), coder.get_compressed().astype("<u4").tobytes()])


def unseal(block: bytes, decode: Callable[[int, NDArray[Any], Any, Any], NDArray[Any]]) -> NDArray[Any]:
    """Return a block's rows, which `decode` makes from their number, the raw values, a decoder and its models."""
    stream = need("constriction", "code").stream
    try:
        mark, size, n, n_raw, checksum = HEAD.unpack_from(block)
        if mark == MARK:
            raw = np.frombuffer(block, f"<f{size}", n_raw, HEAD.size)
            words = np.frombuffer(block, "<u4", offset=HEAD.size + raw.nbytes).astype(np.uint32)
            raw = raw.astype(raw.dtype.newbyteorder("="))
            rows = decode(n, raw, stream.queue.RangeDecoder(words), partial(stream.model.Categorical, perfect=False))
            if _checksum(rows) == checksum:
                return rows
    except (struct.error, ValueError, TypeError, IndexError, AssertionError, MemoryError):
        pass  # any of these may come of a damaged block
    raise UserError("A block is damaged, or another model packed it.", needed="bytes of `compress`")


def _checksum(rows: NDArray[Any]) -> int:
    """Return a checksum that is the same for -0.0 and 0.0, which compare as equal."""
    return zlib.crc32((rows + 0).astype(rows.dtype.newbyteorder("<")).tobytes())
