"""The part of the build that pyproject.toml cannot say: the compiled codec and protocol."""

import importlib.util
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from build_backend import wants_compiling  # noqa: E402

REQUIREMENTS = ["django>=5.2", "channels>=4.3", "daphne>=4.2,<4.3"]
COMPILED = {
    "amf_remoting": ["call", "packet", "reply"],
    "amf_remoting/amf": [
        "amf0_decoder",
        "amf0_encoder",
        "amf0_text",
        "amf3_decoder",
        "amf3_encoder",
        "codec",
        "limits",
        "member",
        "names",
        "numbers",
        "reader",
        "traits",
        "u29",
        "words",
        "writer",
    ],
    "rtmp_channels/protocol": [
        "acknowledgement",
        "chunk",
        "chunk_header",
        "chunk_reader",
        "client_commands",
        "commands",
        "connection",
        "events",
        "exchange",
        "handshake",
        "link",
        "outbound",
        "receiver",
        "server_commands",
        "state",
        "streams",
    ],
}
"""Modules by their folder: what each message passes through. The wheel holds their sources too."""
GROUP = "flash_remoting_compiled"
"""Name of the shared library that all of them share: what calls across modules stays in it."""


def compiling() -> bool:
    """Editable installs stay pure: compiled modules in the tree would shadow their sources."""
    if "editable_wheel" in sys.argv or "develop" in sys.argv:
        return False
    if "--inplace" in sys.argv or "-i" in sys.argv:
        sys.exit("never compile into the source tree: build a wheel")
    if not wants_compiling():
        return False
    found = importlib.util.find_spec("mypyc") is not None
    if not found and os.environ.get("AMF_REMOTING_BUILD") == "require":
        sys.exit("AMF_REMOTING_BUILD=require: mypy and librt are missing")
    return found


def extensions(folder: str) -> list:
    from mypyc.build import mypycify

    sources = [f"{path}/{name}.py" for path, names in COMPILED.items() for name in names]
    options = ["--strict", "--config-file=", f"--cache-dir={folder}/cache"]
    found = mypycify(
        sources + options, opt_level="3", debug_level="0", group_name=GROUP, target_dir=folder
    )
    if sys.platform != "win32":
        for extension in found:
            # Nothing outside calls into it by name, so that calls within can be inlined.
            extension.extra_compile_args.append("-fvisibility=hidden")
    return found


def main() -> None:
    compiled = compiling()
    with tempfile.TemporaryDirectory() as folder:
        # Metadata is asked for separately; translating takes seconds.
        translate = compiled and "bdist_wheel" in sys.argv
        setup(
            install_requires=REQUIREMENTS + ([f"librt>={version('librt')}"] if compiled else []),
            ext_modules=extensions(folder) if translate else [],
            options={"build": {"build_base": folder}},
        )


main()
