"""Inputs that coverage leads to: what `python -m tests.codec.fuzz --atheris` runs.

The codec must be imported while atheris instruments it, so this is a program of its own.
"""

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["amf_remoting"]):
    from .fuzz import SLOWEST, check, corpus


def main(seconds: str) -> None:
    """Never returns: libFuzzer ends the process, with 0 if nothing was found."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-codec-"))
    for number, data in enumerate(corpus()):
        (folder / str(number)).write_bytes(data)
    options = [f"-max_total_time={seconds}", "-max_len=100000", "-print_final_stats=1"]
    options += [f"-timeout={SLOWEST:.0f}", "-rss_limit_mb=1024", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *options, str(folder)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
