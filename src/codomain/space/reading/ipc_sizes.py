"""How long the buffers of an Arrow file become: compressed ones say so in the eight bytes in front of each."""

import struct
from typing import Any

import pyarrow as pa

_MAGIC = b"ARROW1\0\0"  # in front of a file; what follows is the stream that a file without it is


def stream_of(source: Any) -> Any:
    """Return the stream within an Arrow file, and a stream as it is; both are buffers."""
    return source.slice(len(_MAGIC)) if bytes(memoryview(source)[: len(_MAGIC)]) == _MAGIC else source


def unpacked_buffers(stream: Any) -> int:
    """Return the bytes that the compressed buffers of an Arrow stream unpack to; nothing is unpacked for it.

    Parameters
    ----------
    stream : Buffer
        The whole stream, as a memory map gives it.

    Returns
    -------
    int
        0 when nothing is compressed.

    Raises
    ------
    struct.error, ArrowException
        When the messages are damaged.
    """
    total = 0
    for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(stream)):
        if message.type in ("record batch", "dictionary"):
            total += _buffers(message.metadata.to_pybytes(), memoryview(message.body), message.type == "dictionary")
    return total


def _buffers(meta: bytes, body: memoryview, dictionary: bool) -> int:
    """Read one message: a flatbuffer of tables, whose fields are found by number (Arrow's format/Message.fbs)."""
    batch = _follow(meta, _field(meta, _follow(meta, 0), 2))
    if dictionary:
        batch = _follow(meta, _field(meta, batch, 1))
    if not _field(meta, batch, 3):  # no compression
        return 0
    buffers = _follow(meta, _field(meta, batch, 2))
    places = struct.iter_unpack("<qq", meta[buffers + 4 :][: 16 * struct.unpack_from("<I", meta, buffers)[0]])
    return sum(max(0, struct.unpack_from("<q", body, offset)[0]) for offset, length in places if length >= 8)


def _field(meta: bytes, table: int, number: int) -> int:
    """Return where a field of a table lies, or 0 when the table lacks it."""
    layout = table - struct.unpack_from("<i", meta, table)[0]
    place = 4 + 2 * number
    if place >= struct.unpack_from("<H", meta, layout)[0]:
        return 0
    offset = struct.unpack_from("<H", meta, layout + place)[0]
    return table + offset if offset else 0


def _follow(meta: bytes, at: int) -> int:
    return int(at + struct.unpack_from("<I", meta, at)[0])
