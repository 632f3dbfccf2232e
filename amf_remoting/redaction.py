"""Packets without the passwords in them, and what they are about in a line.

A secret is overwritten by asterisks of the same number, so that every offset stays.
"""

import re
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from amf_remoting.amf import XML, AMFError, Limits, Step, XMLDocument
from amf_remoting.amf.limits import DEPTH_MAX
from amf_remoting.amf.u29 import u29_bytes
from amf_remoting.inspection import walk_packet

_LIMITS = Limits(depth=DEPTH_MAX)
"""No setting lets the gateway read deeper; a stack that is full ends the walk as a limit does."""
SECRET_NAMES = (
    *("password", "passwd", "pwd", "passphrase", "secret", "token", "credential"),
    *("apikey", "api_key", "accesskey", "access_key", "privatekey", "private_key"),
)
"""What has one of these words in its name is nobody's business."""
_LOGIN_BODIES = ("body", "class 1, bit 0")
"""Where a command message has its login: by name, and in Flex's small form by its flag."""
_COMMAND_MESSAGES = ("flex.messaging.messages.CommandMessage", "DSC")
_KEY = re.compile(r"key (\d+)")
"""Where a Dictionary has the name of the value of that number."""
TEXTS = ("String", "Long String")
SCALARS = (*TEXTS, "XML", "XML Document", "Number", "Double", "Integer", "Byte Array")


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _latin1(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _cesu8(text: str) -> bytes:
    units = text.encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(chr(high << 8 | low) for high, low in pairs).encode("utf-8", "surrogatepass")


WRITTEN_FORMS: tuple[Callable[[str], bytes], ...] = (_utf8, _latin1, _cesu8)
"""What a text may have been: see `repair` in amf/text.py. A form that cannot say it gives other
bytes, and never an error."""


@dataclass(slots=True)
class Redacted:
    """A packet as it may be kept."""

    data: bytes
    targets: list[str] = field(default_factory=list)
    """The methods that it calls, or the answers that it brings."""
    secrets: frozenset[str] = frozenset()
    """What was overwritten."""

    @property
    def faults(self) -> int:
        """Answers that are faults."""
        return sum(target.endswith("/onStatus") for target in self.targets)


def redacted(
    data: bytes, *, is_cut: bool = False, secrets: frozenset[str] = frozenset()
) -> Redacted:
    """A packet, whole or broken, without secrets, nor those given.

    ``is_cut``: there was more. What cannot be understood then is left out: half a password must
    not stay because its end is missing.
    """
    steps, end = _understood(data)
    kept = bytearray(data[:end] if is_cut else data)
    found = list(_secret_steps(steps))
    secrets = secrets | {step.value for step in found if isinstance(step.value, str)}
    again = [step for step in steps if step.kind in TEXTS and step.value in secrets]
    for step in (*found, *again):
        _overwrite(kept, step)
    return Redacted(bytes(kept), list(_targets(steps)), secrets)


def _understood(data: bytes) -> tuple[list[Step], int]:
    steps: list[Step] = []
    with suppress(AMFError):
        steps.extend(walk_packet(data, limits=_LIMITS))
    return steps, steps[-1].end if steps else 0


def _secret_steps(steps: list[Step]) -> Iterator[Step]:
    """Texts, numbers and bytes that nobody should read."""
    headers: set[str | int] = set()
    commands: set[tuple[str | int, ...]] = set()
    named: set[tuple[str | int, ...]] = set()
    for step in steps:
        if step.kind == "Name" and step.value == "Credentials":
            headers.add(step.path[0])
        elif step.kind in ("Object", "Typed Object") and step.detail.startswith(_COMMAND_MESSAGES):
            commands.add(step.path)
        elif (key := _KEY.fullmatch(str(step.path[-1]))) and is_telling([str(step.value)]):
            named.add((*step.path[:-1], f"value {key[1]}"))
        if step.kind not in SCALARS or step.value in ("", b""):
            continue
        is_login = step.path[-1] in _LOGIN_BODIES and step.path[:-1] in commands
        is_named = bool(named) and any(
            step.path[:end] in named for end in range(len(step.path) + 1)
        )
        if is_login or is_named or is_telling(step.path) or step.path[0] in headers:
            yield step


def is_telling(path: Iterable[str | int]) -> bool:
    """Whether a value has one of SECRET_NAMES, or is inside of one that has."""
    names = [name.lower() for name in path if isinstance(name, str)]
    return any(secret in name for name in names for secret in SECRET_NAMES)


def _overwrite(kept: bytearray, step: Step) -> None:
    """The value's bytes are the last of its step, unless it refers to an earlier one."""
    for written in written_forms(step.value):
        start = step.end - len(written)
        if start >= step.offset and kept[start : step.end] == written:
            kept[start : step.end] = hidden(step.kind, written)
            return


def written_forms(value: object) -> Iterator[bytes]:
    """What the bytes of one of the SCALARS may be."""
    match value:
        case str():
            yield from (form(value) for form in WRITTEN_FORMS)
        case XML() | XMLDocument():
            yield from (form(value.text) for form in WRITTEN_FORMS)
        case bytes():
            yield value
        case float():
            yield struct.pack(">d", value)
        case int():
            yield u29_bytes(value & 0x1FFFFFFF)


def hidden(kind: str, written: bytes) -> bytes:
    """As many bytes that say nothing, and that are read as one value of that kind."""
    # The highest bits of AMF3's integers say where they end.
    if kind == "Integer":
        return bytes(byte & 0x80 | ord("*") for byte in written)
    return b"*" * len(written)


def _targets(steps: list[Step]) -> Iterator[str]:
    """Of Flex's messages the operation, with its destination."""
    destination = ""
    for step in steps:
        if step.kind == "Target URI" and step.value != "null":
            yield str(step.value)
        elif step.kind in TEXTS and step.path[-1] == "destination":
            destination = str(step.value)
        elif step.kind in TEXTS and step.path[-1] == "operation":
            yield f"{destination}.{step.value}"
