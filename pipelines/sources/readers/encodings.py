"""Text encodings: declared or recognised, and turned into UTF-8 while reading."""

from __future__ import annotations

import base64
import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unicodedata import category

from pipelines.sources.readers.base import Unreadable

READ_BYTES = 1024 * 1024
SAMPLE_BYTES = 1024 * 1024

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
ISO_2022 = re.compile(rb"\x1b(?:\$[@AB]|\$[()][A-D]|\([BIJ])")
"""What switches to another script and back."""
UTF_7 = re.compile(rb"\+([A-Za-z0-9+/]+)(-?)")
"""What stands for other characters than ASCII: UTF-16 in base 64, from a plus on to a minus or to
what is no base 64."""
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030", "windows-1252")
DECLARABLE = ("utf-8", "utf-8-sig", "utf-16", *ENCODINGS[1:], "iso-8859-1", "iso-8859-15")


@dataclass(frozen=True)
class Encoding:
    """How the bytes of a file are text."""

    name: str
    bom: bytes
    declared: bool


def recognise(path: Path, declared: str | None) -> Encoding:
    """Return the encoding of a file, declared or recognised.

    Raises:
        Unreadable: the bytes are not text in the declared encoding, nor in any known one.
    """
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    bom, by_bom = next(((b, name) for b, name in BOMS if sample.startswith(b)), (b"", None))
    if declared is not None:
        return _declared(declared, bom, by_bom, sample)
    if by_bom is not None:
        return Encoding(by_bom, bom, declared=False)
    if ISO_2022.search(sample):
        raise Unreadable(
            "wrong_encoding",
            "The file is text in ISO-2022, which switches between scripts; it is not read here.",
            "Export the file again as UTF-8.",
        )
    if sample.isascii() and _is_utf_7(sample):
        raise Unreadable(
            "wrong_encoding",
            "The file is text in UTF-7, in which letters such as ü are written +APw-; it is not "
            "read here.",
            "Export the file again as UTF-8. If it really holds such words, write `encoding: "
            "utf-8` in the spec.",
        )
    for name in _candidates(sample):
        if _decodes(path, name):
            return Encoding(name, b"", declared=False)
    raise Unreadable(
        "wrong_encoding",
        "The bytes of the file are not text in any encoding that is known here.",
        "Export the file again as UTF-8; it may be cut off, mixed, or no text file at all.",
    )


def _declared(declared: str, bom: bytes, by_bom: str | None, sample: bytes) -> Encoding:
    plain = "utf-8" if declared == "utf-8-sig" else declared
    if plain == "utf-16":
        plain = by_bom if by_bom and by_bom.startswith("utf-16") else "utf-16-le"
    if by_bom is not None and by_bom != plain:
        raise wrong_encoding(declared, by_bom, 1)
    if plain == "utf-8" and b"\0" in sample and (found := _utf16_without_bom(sample)):
        raise wrong_encoding(declared, found, 1)
    return Encoding(plain, bom, declared=True)


def wrong_encoding(declared: str, found: str | None, line: int) -> Unreadable:
    """Return what to say where the bytes are not text in the declared encoding."""
    suggestion = (
        f"The bytes look like {found}: write `encoding: {found}` in the spec, or export as UTF-8."
        if found
        else "Export the file again as UTF-8; it may be cut off, mixed, or no text file at all."
    )
    return Unreadable(
        "wrong_encoding",
        f"The file is not {declared} text: the bytes in line {line} cannot be decoded.",
        suggestion,
    )


def _candidates(sample: bytes) -> list[str]:
    if utf16 := _utf16_without_bom(sample):
        return [utf16]
    return ["utf-8", *(["gb18030"] if _looks_chinese(sample) else []), "windows-1252"]


def _is_utf_7(sample: bytes) -> bool:
    """Tell whether all that could be letters in UTF-7 are.

    By chance it is next to never so: the bits that are left over must be zero, what is written
    must be letters of Europe that ASCII has not, and a single one must end with a minus.
    """
    found = set(UTF_7.findall(sample))
    is_marked = len(found) > 1 or any(minus or len(packed) > 3 for packed, minus in found)
    return is_marked and all(_is_letters(packed) for packed, _ in found)


def _is_letters(packed: bytes) -> bool:
    try:
        data = base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
        text = data[: len(data) // 2 * 2].decode("utf-16-be")
    except ValueError:
        return False
    again = base64.b64encode(text.encode("utf-16-be")).rstrip(b"=")
    return again == packed and all("\x7f" < c < "\u0590" and category(c)[0] == "L" for c in text)


def _utf16_without_bom(sample: bytes) -> str | None:
    """Return which UTF-16 bytes without a mark seem to be.

    In Western text every other byte is NUL; in any other text at least the ends of its lines and
    its delimiters have a NUL on one side, always the same.
    """
    even, odd = sample[0:4096:2].count(0), sample[1:4096:2].count(0)
    half = min(len(sample), 4096) // 2
    for name, here, there in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if half >= 2 and here > half * 0.6 and there < half * 0.1:
            return name
        if here > 1 and not there and _reads_like_text(sample[:4096], name):
            return name
    return None


def _reads_like_text(sample: bytes, name: str) -> bool:
    try:
        text = codecs.getincrementaldecoder(name)("strict").decode(sample)
    except UnicodeDecodeError:
        return False
    return ("\n" in text or "\r" in text) and all(
        category(character) not in ("Cn", "Co") for character in text
    )


def _looks_chinese(sample: bytes) -> bool:
    """Tell whether bytes above ASCII come in pairs, as they do in GB 2312 and GB 18030.

    In Western text they mostly stand alone between letters.
    """
    runs = re.findall(rb"[\x80-\xff]+", sample)
    paired = sum(len(run) for run in runs if len(run) % 2 == 0 and min(run) >= 0xA1)
    return bool(runs) and paired >= 0.8 * sum(map(len, runs))


def _decodes(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)("strict")
    try:
        with path.open("rb") as file:
            while data := file.read(READ_BYTES):
                decoder.decode(data)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class Utf8Stream(io.RawIOBase):
    """The text of a file as UTF-8 bytes; counts lines and NULs on the way.

    Bytes that are no text in the encoding raise `Unreadable` with the line they stand in.
    """

    def __init__(
        self,
        path: Path,
        encoding: Encoding,
        start: int | None = None,
        length: int | None = None,
        line: int = 1,
    ) -> None:
        super().__init__()
        self._path, self._encoding = path, encoding
        self._file = path.open("rb")
        self._file.seek(len(encoding.bom) if start is None else start)
        self._left = 1 << 62 if length is None else length
        self._decoder = codecs.getincrementaldecoder(encoding.name)("strict")
        self._ready = b""
        self._line = line
        self.n_nul = 0

    def readable(self) -> bool:
        """Tell that the stream can be read."""
        return True

    def push_back(self, data: bytes) -> None:
        """Return bytes to the front of the stream."""
        self._ready = data + self._ready

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, or all that are left."""
        wanted = size if size >= 0 else 1 << 62
        parts = [self._ready]
        length = len(self._ready)
        while length < wanted and (data := self._next()):
            parts.append(data)
            length += len(data)
        text = b"".join(parts)
        self._ready = text[wanted:]
        return text[:wanted]

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _next(self) -> bytes:
        while True:
            data = self._file.read(min(READ_BYTES, self._left))
            self._left -= len(data)
            try:
                text = self._decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                raise self._failure(error) from None
            ready = data if self._encoding.name == "utf-8" else text.encode()
            self._line += text.count("\n")
            self.n_nul += ready.count(b"\0")
            if ready or not data:
                return ready

    def _failure(self, error: UnicodeDecodeError) -> Unreadable:
        line = self._line + bytes(error.object[: error.start]).count(b"\n")
        try:
            found: str | None = recognise(self._path, None).name
        except Unreadable:
            found = None
        return wrong_encoding(self._encoding.name, found, line)


def lines_of(text: str) -> Iterator[str]:
    """Return the lines of a text with their ends; only CR, LF and CRLF end a line."""
    return iter(io.StringIO(text, newline=""))
