"""AMF0's texts: strings, and the names of classes and members (AMF 0 §1.3.1)."""

from collections.abc import Callable
from typing import Final

from amf_remoting.amf.limits import Limits
from amf_remoting.amf.names import NO_NAME, Name
from amf_remoting.amf.native import i64, read_i64_be
from amf_remoting.amf.reader import Reader
from amf_remoting.amf.words import INTERPRETED, WORD, digest, is_ascii, same_bytes

WINDOW: Final = 4096
"""Bytes that are made characters at once, from the text to read onwards."""
NAME_KEPT: Final = 64
"""Longest name, in bytes, that is kept for when it comes again."""
RECENT: Final = 256
"""Texts that are kept; a power of two."""
FEW: Final = 1024
"""Bytes of data in which no text is looked for again."""
SHORT: Final = 32
"""Longest text, in bytes, that is kept for when it comes again."""


class Text:
    """A text that was read, and where: equal bytes elsewhere are the same text again."""

    def __init__(self, text: str, position: i64, size: i64) -> None:
        self.text = text
        self.position: i64 = position
        self.size: i64 = size


NO_TEXT: Final = Text("", 0, -1)
NO_TEXTS: Final[list[Text]] = []


class TextReader(Reader):
    """AMF0 writes every text in full, however often it comes: this one remembers."""

    def __init__(self, data: bytes, limits: Limits, repair: Callable[[bytes], str]) -> None:
        super().__init__(data, limits, repair)
        self.window = ""
        self.window_is_ascii = True
        self.window_start: i64 = 0
        self.window_end: i64 = 0
        self.recent = NO_TEXTS
        """Short texts by their digest; machine code keeps them, where there may be many."""
        if not INTERPRETED and self.end > FEW:
            self.recent = [NO_TEXT] * RECENT
        self.names: dict[bytes, Name] = {}
        self.last_name = NO_NAME

    def u16(self) -> i64:
        data = self.data
        position = self.position
        high: i64 = data[position]
        low: i64 = data[position + 1]
        self.position = position + 2
        return high << 8 | low

    def u32(self) -> i64:
        return self.u16() << 16 | self.u16()

    def _piece(self, length: i64) -> str:
        """The next bytes as characters of the same number (latin-1), cut out of the window."""
        start = self.position
        end = start + length
        if end > self.end:
            raise self.error(f"{length} bytes announced, {self.end - start} left")
        self.position = end
        offset = start - self.window_start
        if offset < 0 or end > self.window_end:
            self.window_start = start
            self.window_end = min(start + WINDOW, self.end)
            self.window = self.data[start : start + WINDOW].decode("latin-1")
            self.window_is_ascii = self.window.isascii()
            offset = 0
        return self.window[offset : offset + length]

    def text(self, length: i64) -> str:
        """The next so many bytes, as the text they are."""
        if INTERPRETED or length > SHORT or length == 0:
            return self._long_text(length)
        position = self.position
        if position + max(length, WORD) > self.end:
            return self._long_text(length)
        if self.recent is NO_TEXTS:
            return self._short_text(length)
        slot = digest(self.data, position, length) & RECENT - 1
        known = self.recent[slot]
        if known.size == length and same_bytes(self.data, position, known.position, length):
            self.position = position + length
            return known.text
        text = self._short_text(length)
        if known is NO_TEXT:
            self.recent[slot] = Text(text, position, length)
        else:
            known.text = text
            known.position = position
            known.size = length
        return text

    def _short_text(self, length: i64) -> str:
        """ASCII needs no decoding of its own: it is a piece of the window."""
        if is_ascii(self.data, self.position, length):
            return self._piece(length)
        return self.decoded(self.read_raw(length))

    def _long_text(self, length: i64) -> str:
        if length > WINDOW:
            return self.decoded(self.read_raw(length))
        piece = self._piece(length)
        if self.window_is_ascii or piece.isascii():
            return piece
        return self.decoded(piece.encode("latin-1"))

    def name(self) -> Name:
        """A class or member name: most often the one that followed the previous one before."""
        likely = self.last_name.follower
        position = self.position
        if likely is not None and likely.is_at(self.data, position, self.end):
            self.position = position + likely.size
            self.last_name = likely
            return likely
        length = self.u16()
        if length > NAME_KEPT or position + WORD > self.end:
            return Name(self.text(length), b"", 0, 0)
        raw = self.data[position : position + 2 + length]
        name = self.names.get(raw)
        if name is None:
            word: i64 = 0
            if not INTERPRETED:
                word = read_i64_be(self.data, position)
            name = self.names[raw] = Name(self.text(length), raw, position, word)
        else:
            self.position += length
        if self.last_name is not NO_NAME:
            self.last_name.follower = name
        self.last_name = name
        return name
