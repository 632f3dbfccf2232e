"""manage.py amf_client: typed clients for the exposed services."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...registry import registry
from ...remote import Service
from ...stubs.haxe import haxe
from ...stubs.typescript import typescript

Write = Callable[..., str]
LANGUAGES: dict[str, Write] = {"typescript": typescript, "haxe": haxe}


class Command(BaseCommand):
    help = "Writes a typed client for the exposed services and the classes of their values."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--language",
            required=True,
            choices=sorted(LANGUAGES),
            help="typescript calls the JSON door by fetch, haxe the AMF gateway from a SWF.",
        )
        parser.add_argument(
            "--service",
            action="append",
            default=[],
            help="Only this service; may be given several times. All of them without it.",
        )
        parser.add_argument(
            "--name", default="Remoting", help="The client's class; in Haxe the module's, too."
        )
        parser.add_argument("--output", help="A file; standard output without it.")

    def handle(self, *, language: str, service: list[str], **options: Any) -> None:
        name = options["name"]
        if not (name.isascii() and name.isidentifier() and name[0].isupper()):
            raise CommandError(f"{name!r} is no name for a class")
        text = LANGUAGES[language](_services(service), name=name)
        if options["output"]:
            _write(Path(options["output"]), text)
        else:
            self.stdout.write(text, ending="")


def _services(names: list[str]) -> Iterable[Service]:
    if not names:
        return registry
    unknown = [name for name in names if name not in registry]
    if unknown:
        known = ", ".join(service.name for service in registry)
        raise CommandError(f"no service is exposed as {unknown[0]!r}; there are {known}")
    return [registry[name] for name in names]


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
