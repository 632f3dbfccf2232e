"""A recorded conversation without the secrets in it: stream keys, passwords, tokens.

A secret is overwritten by asterisks of the same number, so that every offset stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from amf_remoting.redaction import SECRET_NAMES, WRITTEN_FORMS
from rtmp_channels.explanation.conversation import explain
from rtmp_channels.explanation.part import Part

_PUBLISHING = frozenset(("publish", "releaseStream", "FCPublish", "FCUnpublish"))
"""Their first argument is a stream key."""
_WITH_QUERY = frozenset(("app", "tcUrl", "swfUrl", "pageUrl", "argument 1"))
"""What may end with a query, where tokens travel."""
_TEXTS = frozenset(("String", "Long String"))
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
    commands = list(_commands(parts))
    found = secrets | {text for command, part in commands for text in _secrets(command, part)}
    kept = bytearray(data)
    for part in parts:
        if part.kind in _TEXTS:
            _overwrite(kept, part, found)
        elif is_cut and not part.understood:
            # Half a password must not stay because its end is missing.
            for start, end in part.spans:
                kept[start:end] = b"*" * (end - start)
    names = [str(part.value) for _, part in commands if part.name == "command name"]
    return Redacted(bytes(kept), names, found)


def _commands(parts: list[Part]) -> Iterator[tuple[str, Part]]:
    """The texts of the conversation, each with the command that it belongs to."""
    command = ""
    for part in parts:
        if part.is_title:
            command = ""
        elif part.kind in _TEXTS:
            command = str(part.value) if part.name == "command name" else command
            yield command, part


def _secrets(command: str, part: Part) -> Iterator[str]:
    text, name = str(part.value), part.name
    if part.name == "command name" or not text:
        return
    is_argument = part.depth == 1 and name.startswith("argument ")
    is_login = command == "connect" and is_argument
    is_key = command in _PUBLISHING and name == "argument 1" and is_argument
    if is_login or is_key or any(word in name.lower() for word in SECRET_NAMES):
        yield text
    elif command and name in _WITH_QUERY and (query := text.partition("?")[2]):
        yield query


def _overwrite(kept: bytearray, part: Part, secrets: frozenset[str]) -> None:
    """The text's bytes are the last of its part, unless it refers to an earlier one."""
    everywhere = [at for start, end in part.spans for at in range(start, end)]
    for form in WRITTEN_FORMS:
        encoded = form(str(part.value))
        places = everywhere[-len(encoded) :]
        if encoded and bytes(kept[at] for at in places) == encoded:
            _hide(kept, places, encoded, {form(secret): len(secret) for secret in secrets})
            return


def _hide(kept: bytearray, places: list[int], encoded: bytes, secrets: dict[bytes, int]) -> None:
    """Overwrites what is secret of the text at ``places``; ``secrets`` with their letters."""
    for hidden, letters in secrets.items():
        at = encoded.find(hidden)
        while at >= 0 and (letters >= _SHORTEST or hidden == encoded):
            for place in places[at : at + len(hidden)]:
                kept[place] = ord("*")
            at = encoded.find(hidden, at + len(hidden))
