"""Files of text: that they are UTF-8, and where their lines end."""

import codecs
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from codomain.core import UserError
from codomain.space.reading.bounds import check_bytes
from codomain.space.reading.tables import Held


@dataclass
class Marks:
    """What a text file has in it: double quotes, line feeds."""

    quotes: bool = False
    feeds: bool = False


def check_text(path: Path) -> Marks:
    """Refuse a file that is not UTF-8 text, naming the byte and the line, or that unpacks to too much."""
    decoder, offset, lines, marks = codecs.getincrementaldecoder("utf-8")(), 0, 1, Marks()
    with pa.input_stream(str(path)) as file:
        while True:
            piece = file.read(2**20)
            if offset == 0 and piece[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                raise UserError(f"{path} is UTF-16 text.", needed="UTF-8", todo=_recode(path, "UTF-16"))
            nul, pending = piece.find(b"\0"), len(decoder.getstate()[0])
            try:
                decoder.decode(piece if nul < 0 else piece[:nul], final=not piece)
            except UnicodeDecodeError as error:
                bad, line = offset - pending + error.start, lines + piece.count(b"\n", 0, error.start)
                byte = error.object[error.start]
                raise UserError(
                    f"{path} is not UTF-8 text: byte {bad:,} (line {line:,}) is 0x{byte:02x}.",
                    needed="UTF-8 text",
                    todo=f"{_recode(path, 'LATIN1')} when it comes from an older Windows program",
                ) from None
            if nul >= 0:
                raise UserError(
                    f"{path} is not text: byte {offset + nul:,} (line {lines + piece.count(0x0A, 0, nul):,}) is 0x00.",
                    needed=f"text, as the name ending in {path.suffix} says",
                    todo="look at what it is: file " + str(path),
                )
            if not piece:
                return marks
            offset += len(piece)
            check_bytes(path, offset)
            lines += piece.count(b"\n")
            marks.quotes |= b'"' in piece
            marks.feeds |= b"\n" in piece


def _recode(path: Path, encoding: str) -> str:
    return f"iconv -f {encoding} -t UTF-8 {path} > {path.stem}-utf8{path.suffix}"


def read_text(path: Path) -> str:
    """Return the text of a file, unpacked, without a byte order mark."""
    with pa.input_stream(str(path)) as file:
        return file.read().decode("utf-8-sig")


def split_lines(text: str) -> list[str]:
    r"""Cut text at \n and \r\n, and at nothing else: a form feed, NEL or U+2028 is part of a line.

    A lone \r ends a line only in a text without any \n, as files of the first Macs have it.
    """
    lines = text.split("\n" if "\n" in text else "\r")
    return [line.removesuffix("\r") for line in lines]


def read_lines(path: Path) -> Held:
    """Read a text file, a row for each line that is not blank."""
    check_text(path)
    lines = [line.strip() for line in split_lines(read_text(path))]
    return Held(pa.table({"text": pa.array([line for line in lines if line], pa.string())}), notes=["one row a line"])
