"""setuptools, which asks for mypy only where its output can be compiled.

AMF_REMOTING_BUILD=pure never compiles the codec, =require fails where it cannot, and without it
the codec is compiled where a C compiler and Python's headers are found.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools._distutils.ccompiler import new_compiler
from setuptools._distutils.errors import CCompilerError, DistutilsError
from setuptools._distutils.sysconfig import customize_compiler, get_python_inc
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
    "wants_compiling",
]

COMPILER_REQUIREMENTS = ["mypy==2.4.1", "librt>=0.16"]
"""mypyc comes with mypy. Pinned: the codec's speed and its tests are measured with this one."""

_MODES = ("auto", "pure", "require")


def wants_compiling() -> bool:
    """Whether this build shall hold machine code. Raises ValueError for an unknown mode."""
    mode = os.environ.get("AMF_REMOTING_BUILD") or "auto"
    if mode not in _MODES:
        raise ValueError(f"AMF_REMOTING_BUILD is one of {', '.join(_MODES)}, not {mode!r}")
    return mode == "require" or (mode == "auto" and _can_compile())


def _can_compile() -> bool:
    """Whether a C file that needs Python's headers goes through the compiler."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text("#include <Python.h>\nint probe(void) { return 0; }\n")
        try:
            compiler = new_compiler()
            customize_compiler(compiler)
            compiler.compile([str(source)], folder, include_dirs=[get_python_inc()])
        except (CCompilerError, DistutilsError, OSError):
            return False
    return True


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """PEP 517's hook: what pip puts into the isolated environment of the build."""
    required: list[str] = build_meta.get_requires_for_build_wheel(config_settings)
    return required + (COMPILER_REQUIREMENTS if wants_compiling() else [])
