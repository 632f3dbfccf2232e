"""The floors' rules that import-linter cannot say: what a floor may import, by name."""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.support.process import REPOSITORY

WIRE = [
    "amf_remoting/amf",
    "amf_remoting/packet.py",
    "amf_remoting/inspection.py",
    "amf_remoting/redaction.py",
    "amf_remoting/flex",
    "rtmp_channels/protocol",
    "rtmp_channels/media",
    "rtmp_channels/explanation",
]
NOT_ON_THE_WIRE = {"asyncio", "time", "threading", "socket", "logging", "concurrent"}
"""Standard library, but a clock, I/O, or a place where a library's user should decide."""
FROM_AMF_REMOTING = {
    *("amf", "registry", "dispatch", "exceptions", "conf", "settle"),
    "pool",  # sync code of both packages shares its threads
    "recorder",  # one switch and one list for packets and conversations
    "redaction",  # one notion of what is secret
    "throttling",  # wrong passwords count together, whatever the door
}
SERVER_PLACES = [
    "rtmp_channels/server",
    "rtmp_channels/twisted_plugins",
    "rtmp_channels/apps.py",
    "rtmp_channels/management/commands/runserver.py",
]


def sources(*places: str) -> Iterator[Path]:
    for place in places:
        path = REPOSITORY / place
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def imported_names(path: Path) -> Iterator[str]:
    """Absolute dotted names: `a.b` for `import a.b`, `a.b.c` for `from a.b import c`."""
    package = path.relative_to(REPOSITORY).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [node.module] if node.module else []
            if node.level:
                base = [*package[: len(package) - node.level + 1], *base]
            yield from (".".join([*base, alias.name]) for alias in node.names)


def inside(path: Path, *places: str) -> bool:
    name = path.relative_to(REPOSITORY).as_posix()
    return any(name == place or name.startswith(place + "/") for place in places)


def offences(
    *places: str, forbidden: Callable[[Path, str], bool], except_in: Iterable[str] = ()
) -> list[str]:
    """`file imports name` for each import below `places` that the rule forbids."""
    return [
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in sources(*places)
        if not inside(path, *except_in)
        for name in imported_names(path)
        if forbidden(path, name)
    ]


def top(name: str) -> str:
    return name.partition(".")[0]


def forbidden_on_the_wire(path: Path, name: str) -> bool:
    if top(name) in {"amf_remoting", "rtmp_channels"}:
        target = name.replace(".", "/")
        return not any(target.startswith(place.removesuffix(".py")) for place in WIRE)
    if top(name) in {"librt", "mypy_extensions"}:  # the second for its types only
        return not inside(path, "amf_remoting/amf")
    if top(name) == "cryptography":
        return not inside(path, "rtmp_channels/protocol")
    return top(name) not in sys.stdlib_module_names or top(name) in NOT_ON_THE_WIRE


def test_wire_floor_needs_the_standard_library_only() -> None:
    assert offences(*WIRE, forbidden=forbidden_on_the_wire) == []


def test_rtmp_channels_takes_only_the_lower_modules_of_amf_remoting() -> None:
    def forbidden(path: Path, name: str) -> bool:
        package, _, rest = name.partition(".")
        return package == "amf_remoting" and top(rest) not in FROM_AMF_REMOTING

    assert offences("rtmp_channels", forbidden=forbidden) == []


def test_settings_are_read_in_conf_only() -> None:
    """Models and migrations may name AUTH_USER_MODEL."""

    def forbidden(path: Path, name: str) -> bool:
        allowed = path.name in {"conf.py", "models.py"} or "migrations" in path.parts
        return name == "django.conf.settings" and not allowed

    assert offences("amf_remoting", "rtmp_channels", forbidden=forbidden) == []


def test_twisted_and_daphne_stay_in_the_server() -> None:
    def forbidden(path: Path, name: str) -> bool:
        return top(name) in {"twisted", "daphne", "zope"}

    assert offences("rtmp_channels", forbidden=forbidden, except_in=SERVER_PLACES) == []


def test_this_reading_of_imports_resolves_names() -> None:
    here = set(imported_names(REPOSITORY / "tests/project/test_imports.py"))
    assert {"ast", "pathlib.Path", "tests.support.process.REPOSITORY"} <= here
