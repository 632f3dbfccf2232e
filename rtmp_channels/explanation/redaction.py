"""A recorded conversation without the secrets in it: stream keys, passwords, tokens.

A secret is overwritten by asterisks of the same number, so that every offset stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from amf_remoting.redaction import (
    SCALARS,
    TEXTS,
    WRITTEN_FORMS,
    hidden,
    is_telling,
    written_forms,
)
from rtmp_channels.explanation.conversation import explain
from rtmp_channels.explanation.part import Part

_PUBLISHING = frozenset(("publish", "releaseStream", "FCPublish", "FCUnpublish"))
"""Their first argument is a stream key."""
_WITH_QUERY = frozenset(("app", "tcUrl", "swfUrl", "pageUrl", "argument 1"))
"""What may end with a query, where tokens travel."""
_HEADERS = ("", "chunk")
"""Names of what lies between the values: a chunk may begin inside of one."""
_COMMAND_NAME = ("command name",)
_SHORTEST = 4
"""Letters of a secret that is looked for within longer texts."""


@dataclass(slots=True)
class Redacted:
    """A side of a conversation as it may be kept."""

    data: bytes
    targets: list[str] = field(default_factory=list)
    """The commands."""
    secrets: frozenset[str] = frozenset()
    """What was overwritten."""

    @property
    def faults(self) -> int:
        """Calls that were refused."""
        return self.targets.count("_error")


def redacted(
    data: bytes, *, is_cut: bool = False, secrets: frozenset[str] = frozenset()
) -> Redacted:
    """What one side sent without secrets, nor those given; ``is_cut``: there was more."""
    parts = list(explain(data))
    values = list(_values(parts))
    found = secrets | {text for value in values for text in _secret_texts(value)}
    kept = bytearray(data)
    for value in values:
        if value.part.kind not in TEXTS and value.is_secret:
            _overwrite_whole(kept, value.part)
    for part in parts:
        if part.kind in TEXTS:
            _overwrite(kept, part, found)
        elif is_cut and not part.understood:
            # Half a password must not stay because its end is missing.
            for start, end in part.spans:
                kept[start:end] = b"*" * (end - start)
    names = [value.command for value in values if value.is_command_name]
    return Redacted(bytes(kept), names, found)


@dataclass(slots=True)
class _Value:
    """A text, number or byte array."""

    part: Part
    command: str
    """What it belongs to; empty in other messages."""
    path: tuple[str, ...]

    @property
    def is_command_name(self) -> bool:
        return self.path == _COMMAND_NAME

    @property
    def is_secret(self) -> bool:
        is_login = self.command == "connect" and self.path[0].startswith("argument ")
        is_key = self.command in _PUBLISHING and self.path == ("argument 1",)
        return is_login or is_key or is_telling(self.path)


def _values(parts: list[Part]) -> Iterator[_Value]:
    command = ""
    path: list[str] = []
    for part in parts:
        if part.is_title:
            command = ""
        if part.depth == 0 or (part.depth == 1 and part.name in _HEADERS):
            continue
        path[part.depth - 1 :] = [part.name]
        if part.kind in SCALARS:
            value = _Value(part, command, tuple(path))
            if value.is_command_name:
                command = value.command = str(part.value)
            yield value


def _secret_texts(value: _Value) -> Iterator[str]:
    text = value.part.value
    if not isinstance(text, str) or not text or value.is_command_name:
        return
    if value.is_secret:
        yield text
    elif value.command and value.path[-1] in _WITH_QUERY and (query := text.partition("?")[2]):
        yield query


def _overwrite_whole(kept: bytearray, part: Part) -> None:
    everywhere = _bytes_of(part)
    for written in written_forms(part.value):
        places = everywhere[-len(written) :]
        if written and bytes(kept[at] for at in places) == written:
            for at, byte in zip(places, hidden(part.kind, written), strict=True):
                kept[at] = byte


def _bytes_of(part: Part) -> list[int]:
    return [at for start, end in part.spans for at in range(start, end)]


def _overwrite(kept: bytearray, part: Part, secrets: frozenset[str]) -> None:
    """The text's bytes are the last of its part, unless it refers to an earlier one."""
    everywhere = _bytes_of(part)
    for form in WRITTEN_FORMS:
        encoded = form(str(part.value))
        places = everywhere[-len(encoded) :]
        if encoded and bytes(kept[at] for at in places) == encoded:
            _hide(kept, places, encoded, {form(secret): len(secret) for secret in secrets})
            return


def _hide(kept: bytearray, places: list[int], encoded: bytes, secrets: dict[bytes, int]) -> None:
    """Overwrites what is secret of the text at ``places``; ``secrets`` with their letters."""
    for secret, letters in secrets.items():
        at = encoded.find(secret)
        while at >= 0 and (letters >= _SHORTEST or secret == encoded):
            for place in places[at : at + len(secret)]:
                kept[place] = ord("*")
            at = encoded.find(secret, at + len(secret))
