"""Clients that `amf_client` wrote: compiled, and calling a running demo site."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from amf_remoting.remote import describe_source
from amf_remoting.stubs.haxe import haxe
from amf_remoting.stubs.typescript import typescript
from tests.gateway import written_services
from tests.interop.clients import NODE
from tests.interop.ruffle import compile_swf, run_swf
from tests.support.demo_server import DemoServer

WRITTEN = Path(__file__).with_name("written")
TSC = NODE / "node_modules" / ".bin" / "tsc"
STRICTLY = [
    *("--strict", "--noUnusedLocals", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"),
    *("--noPropertyAccessFromIndexSignature", "--noUnusedParameters", "--noImplicitReturns"),
    *("--erasableSyntaxOnly", "--verbatimModuleSyntax", "--isolatedModules"),
    *("--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler"),
    *("--lib", "es2022,dom"),
]
SECONDS = 60
BORN = -4861728000000
EVERYTHING = [describe_source(name, source) for name, source in written_services.SOURCES.items()]
"""Services with every kind of argument and value, and with names that are in the way."""


def compile_typescript(folder: Path, *files: str) -> None:
    (folder / "package.json").write_text('{"type": "module"}')
    command = [str(TSC), *STRICTLY, *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.client("typescript")
def test_a_typescript_client_calls_from_node(demo_server: DemoServer, tmp_path: Path) -> None:
    demo_server.manage(
        *("amf_client", "--language", "typescript", "--output", str(tmp_path / "client.ts"))
    )
    shutil.copy(WRITTEN / "use.ts", tmp_path)
    compile_typescript(tmp_path, "use.ts")
    command = ["node", "use.js", demo_server.url("/gateway/")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "ada": {
            "name": "Ada",
            "age": 36,
            "born": "1815-12-10T00:00:00Z",
            "tags": ["mathematics", "poetry"],
        },
        "names": ["Person 0", "Person 1"],
        "default": 10,
        "sum": 42.5,
        "arguments": ["one", 2, True],
        "none": [],
        "echo": {"deep": [1, {"text": "Grüße 🎈"}]},
        "now": True,
        "failed": [400, "Demo.Failed", "no luck"],
        "failedByDefault": [400, "Demo.Failed", "failed on request"],
        "refused": [401, "Client.Authentication", "staff.whoami needs a login"],
        "elsewhere": [404, "", "HTTP status 404"],
    }


@pytest.mark.client("typescript")
def test_all_that_services_can_be_compiles_as_typescript(tmp_path: Path) -> None:
    (tmp_path / "client.ts").write_text(typescript(EVERYTHING, name="Remoting"))
    compile_typescript(tmp_path, "client.ts")


@pytest.mark.client("written-swf")
def test_all_that_services_can_be_compiles_as_haxe(tmp_path: Path) -> None:
    (tmp_path / "Everything.hx").write_text(haxe(EVERYTHING, name="Everything"))
    (tmp_path / "Use.hx").write_text(
        "import Everything; class Use { static function main() { new Everything('/'); } }"
    )
    compile_swf(tmp_path, main="Use", source=tmp_path)


@pytest.mark.client("written-swf")
def test_a_haxe_client_calls_from_a_swf(demo_server: DemoServer, tmp_path: Path) -> None:
    demo_server.manage(
        *("amf_client", "--language", "haxe", "--output", str(tmp_path / "Remoting.hx"))
    )
    shutil.copy(WRITTEN / "Use.hx", tmp_path)
    swf = compile_swf(tmp_path, main="Use", source=tmp_path)
    reports = run_swf(swf, demo_server.url("/gateway/"))
    ada = {"isPerson": True, "name": "Ada", "age": 36, "born": BORN, "tags": "mathematics+poetry"}
    others = [
        (f"Person {number}", 18 + number, f"demo+{'even' if number % 2 == 0 else 'odd'}")
        for number in range(2)
    ]
    assert {name: (one["outcome"], one["value"]) for name, one in reports.items()} == {
        "add": ("result", 43.5),
        "ada": ("result", ada),
        "people": (
            "result",
            [
                {
                    "isPerson": True,
                    "name": name,
                    "age": age,
                    "born": 631152000000 + number * 86_400_000,
                    "tags": tags,
                }
                for number, (name, age, tags) in enumerate(others)
            ],
        ),
        "default": ("result", 10),
        "arguments": ("result", ["one", 2, True]),
        "none": ("result", 0),
        "echo": ("result", {"deep": [1, 2.5]}),
        "now": ("result", True),
        "fail": ("fault", ["Demo.Failed", "no luck"]),
        "refused": ("fault", ["Client.Authentication", "staff.whoami needs a login"]),
    }
