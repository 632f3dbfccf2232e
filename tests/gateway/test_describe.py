"""Services described."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from amf_remoting.describe import describe_method, describe_service, docstring
from amf_remoting.registry import Registry, remote_method

from . import services


def test_signatures() -> None:
    @remote_method
    def many(a, b: "int", *rest: str, c: float = 1.5, **more: list[int]) -> "list[str]":  # type: ignore[no-untyped-def]
        """First line.

        More.
        """

    mine = Registry()
    mine.expose("tools.many", many)
    (one,) = describe_service(mine["tools.many"])
    assert one.signature == (
        "tools.many(a, b: int, *rest: str, c: float = 1.5, **more: list[int]) -> list[str]"
    )
    assert one.summary == "First line."
    assert one.text == "First line.\n\nMore."
    assert [argument.required for argument in one.arguments] == [True, True, False, False, False]


def test_types_are_named_without_their_modules() -> None:
    @dataclass
    class Local:
        pass

    @remote_method
    def timed(
        of: dict[str, Local | None], by: Literal["a.b", "c"], *more: tuple[services.Base, ...]
    ) -> Iterator[datetime]:
        raise NotImplementedError

    mine = Registry()
    mine.expose("timed", timed)
    (one,) = describe_service(mine["timed"])
    assert one.signature == (
        "timed(of: dict[str, Local | None], by: Literal['a.b', 'c'], "
        "*more: tuple[Base, ...]) -> Iterator[datetime]"
    )


def test_the_call_and_self_are_not_the_callers() -> None:
    mine = Registry()
    mine.expose("echo", services.EchoService)
    assert describe_method(mine.find("echo.caller")).signature == (
        "echo.caller(suffix: str = '') -> str"
    )


def test_docstrings() -> None:
    assert docstring(services.counter) == "A plain object: one for all calls."
    assert docstring(services.EchoService) == ""
    assert docstring(sys.modules[services.__name__]) == "Services that the gateway's tests expose."
