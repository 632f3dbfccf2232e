"""The codec's reference maps every marker there is, and the limits it names are the code's."""

import dataclasses
import re

from amf_remoting import amf
from amf_remoting.amf import markers
from tests.support.process import REPOSITORY

TEXT = (REPOSITORY / "docs/reference/codec.md").read_text()


def documented(column: int) -> set[int]:
    """Markers in one column of the table "From AMF to Python"."""
    section = TEXT.partition("## From AMF to Python")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| ")][1:]
    return {int(marker, 16) for row in rows for marker in re.findall(r"`(\w\w)`", row[column])}


def in_the_code(version: int) -> set[int]:
    names = [name for name in vars(markers) if re.fullmatch(rf"AMF{version}_[A-Z_0-9]+", name)]
    return {getattr(markers, name) for name in names if "REFERENCES" not in name}


def test_every_marker_is_in_the_table() -> None:
    assert documented(2) == in_the_code(3)
    assert documented(4) == in_the_code(0) - {markers.AMF0_OBJECT_END}


def test_every_limit_and_policy_is_documented() -> None:
    for settings in (amf.Limits, amf.Policy):
        for field in dataclasses.fields(settings):
            assert f"| `{field.name}` |" in TEXT


def test_every_type_of_value_is_named() -> None:
    for name in amf.__all__:
        if isinstance(getattr(amf, name), type) and name not in {"UndefinedType", "Step", "Traits"}:
            assert name in TEXT, name
