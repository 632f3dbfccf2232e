"""manage.py amf_dump: recorded packets and values, decoded for people."""

import sys
from pathlib import Path
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...amf import AMFError, loads_many
from ...dump import hex_lines, packet_lines, value_lines
from ...packet import parse


class Command(BaseCommand):
    help = "Decodes AMF from a file (or - for standard input) and shows it as a tree."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="The body of a request or response; - for standard input.")
        parser.add_argument(
            "--values",
            type=int,
            choices=(0, 3),
            help="The file holds bare values of that version of AMF, not a packet.",
        )
        parser.add_argument("--hex", action="store_true", help="Shows the bytes too.")
        parser.add_argument("--from-hex", action="store_true", help="The file is hexadecimal text.")

    def handle(self, *, file: str, **options: Any) -> None:
        data = _read(file)
        if options["from_hex"]:
            data = _bytes_of_hex(data)
        if options["hex"]:
            self._write(hex_lines(data))
        try:
            self._write(_lines(data, options["values"]))
        except AMFError as error:
            raise CommandError(f"this is no AMF: {error}") from error

    def _write(self, lines: Any) -> None:
        for line in lines:
            self.stdout.write(line)


def _lines(data: bytes, version: Literal[0, 3] | None) -> list[str]:
    if version is None:
        return list(packet_lines(parse(data)))
    return [line for value in loads_many(data, version) for line in value_lines(value)]


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


def _bytes_of_hex(data: bytes) -> bytes:
    try:
        return bytes.fromhex(data.decode("ascii"))
    except ValueError as error:
        raise CommandError(f"this is no hexadecimal text: {error}") from error
