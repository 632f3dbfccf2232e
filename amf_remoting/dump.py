"""Packets and values as text for people: one line for each value, its members indented."""

import dataclasses
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from .amf import XML, Date, Dictionary, MixedArray, TypedObject, UndefinedType, XMLDocument
from .amf import registry as aliases
from .amf.vectors import NumberVector, ObjectVector
from .flex.collections import Wrapper
from .packet import Header, Message, Packet

INDENT = "  "
MAX_LINES = 100_000
LONGEST = 200
"""Letters of a text and bytes of binary data that are shown."""

Member = tuple[str, Any]


def packet_lines(packet: Packet) -> Iterator[str]:
    """A whole packet, MAX_LINES of it at most."""
    return _bounded(_packet_lines(packet))


def _packet_lines(packet: Packet) -> Iterator[str]:
    headers, messages = len(packet.headers), len(packet.messages)
    yield f"packet version {packet.version}, {headers} headers, {messages} messages"
    for header in packet.headers:
        yield from _header_lines(header)
    for number, message in enumerate(packet.messages, 1):
        yield from _message_lines(number, message)


def value_lines(value: Any, *, label: str = "") -> Iterator[str]:
    """A value and what is in it, MAX_LINES at most.

    An object inside of itself is named and not followed.
    """
    return _bounded(_lines(value, label, 0, ()))


def hex_lines(data: bytes) -> Iterator[str]:
    """Sixteen bytes a line: offset, hexadecimal, letters."""
    for offset in range(0, len(data), 16):
        part = data[offset : offset + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield f"{offset:08x}  {part.hex(' '):<47}  {letters}"


def _bounded(lines: Iterator[str]) -> Iterator[str]:
    # A few references to references of references are a tree without end.
    yield from islice(lines, MAX_LINES)
    if next(lines, None) is not None:
        yield f"… (more than {MAX_LINES} lines)"


def _header_lines(header: Header) -> Iterator[str]:
    must = ", must be understood" if header.must_understand else ""
    yield f"header {_text(header.name)}{must}"
    yield from _lines(header.value, "", 1, ())


def _message_lines(number: int, message: Message) -> Iterator[str]:
    target, response = _text(message.target_uri), _text(message.response_uri)
    yield f"message {number}: {target}, answer to {response}, AMF{message.encoding}"
    if message.error is not None:
        yield f"{INDENT}cannot be decoded: {message.error}"
    else:
        yield from _lines(message.value, "", 1, ())


def _lines(value: Any, label: str, depth: int, path: tuple[int, ...]) -> Iterator[str]:
    title, members = _described(value)
    start = f"{INDENT * depth}{label}: " if label else INDENT * depth
    if id(value) in path:
        yield f"{start}{title} (again, {len(path) - path.index(id(value))} levels up)"
        return
    yield f"{start}{title}"
    for name, member in members:
        yield from _lines(member, name, depth + 1, (*path, id(value)))


def _described(value: Any) -> tuple[str, Iterable[Member]]:
    """A value's own line and its members."""
    match value:
        case None | bool() | int() | float() | str() | bytes() | datetime():
            return _scalar(value), ()
        case UndefinedType():
            return "undefined", ()
        case list():
            return f"Array of {len(value)}", _indexed(value)
        case MixedArray():
            members = [*_indexed(value.dense), *_named(value.named)]
            return f"Array of {len(value.dense)} with names", members
        case dict():
            return "Object", _named(value)
        case TypedObject():
            return f"{_text(value.alias)} (not registered)", _named(value.values)
        case Dictionary():
            return f"Dictionary of {len(value)}", _pairs(value)
        case NumberVector() | ObjectVector():
            return f"{type(value).__name__} of {len(value)}", _indexed(value)
        case Wrapper():
            return _alias(value), [("source", value.source)]
        case XML() | XMLDocument():
            return f"{type(value).__name__} {_text(value.text)}", ()
        case Date():
            return f"Date {value.milliseconds}", ()
    return _alias(value), _attributes(value)


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case bytes():
            more = "…" if len(value) > LONGEST else ""
            return f"ByteArray of {len(value)}: {value[:LONGEST].hex(' ')}{more}"
        case datetime():
            return f"Date {value.isoformat()}"
    return repr(value)


def _text(value: str) -> str:
    more = f"… ({len(value)} letters)" if len(value) > LONGEST else ""
    return f"{value[:LONGEST]!r}{more}"


def _alias(value: Any) -> str:
    alias = aliases.by_class.get(type(value))
    return alias.name if alias is not None else type(value).__name__


def _attributes(value: Any) -> list[Member]:
    if dataclasses.is_dataclass(value):
        return [(one.name, getattr(value, one.name)) for one in dataclasses.fields(value)]
    return _named(getattr(value, "__dict__", {}))


def _indexed(values: Iterable[Any]) -> list[Member]:
    return [(str(index), item) for index, item in enumerate(values)]


def _named(values: dict[Any, Any]) -> list[Member]:
    return [(_text(name) if name == "" else str(name), item) for name, item in values.items()]


def _pairs(dictionary: Dictionary) -> list[Member]:
    return [(_described(key)[0], item) for key, item in dictionary.items()]
