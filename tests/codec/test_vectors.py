"""The vectors: data files of bytes and what they mean (vectors/README.md)."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amf_remoting import amf

FILES = {0: "amf0.json", 3: "amf3.json"}


def cases() -> list[Any]:
    found = []
    for version, name in FILES.items():
        path = Path(__file__).parent / "vectors" / name
        for case in json.loads(path.read_text(encoding="utf-8")):
            found.append(pytest.param(version, case, id=f"AMF{version} {case['name']}"))
    return found


def value_of(notation: Any) -> Any:
    """The Python value that a vector's JSON stands for."""
    if isinstance(notation, list):
        return [value_of(item) for item in notation]
    if not isinstance(notation, dict):
        return notation
    if "$" not in notation:
        return {name: value_of(item) for name, item in notation.items()}
    return SPECIAL[notation["$"]](notation)


def _dictionary(notation: Any) -> amf.Dictionary:
    entries = [(value_of(key), value_of(item)) for key, item in notation["entries"]]
    return amf.Dictionary(entries, weak=notation["weak"])


def _object_vector(notation: Any) -> amf.ObjectVector:
    return amf.ObjectVector(value_of(notation["items"]), notation["type"], notation["fixed"])


SPECIAL = {
    "number": lambda n: float(n["is"]),
    "undefined": lambda n: amf.Undefined,
    "date": lambda n: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=n["ms"]),
    "far date": lambda n: amf.Date(n["ms"]),
    "bytes": lambda n: bytes.fromhex(n["hex"]),
    "xml": lambda n: amf.XML(n["text"]),
    "xml document": lambda n: amf.XMLDocument(n["text"]),
    "mixed": lambda n: amf.MixedArray(value_of(n["dense"]), value_of(n["named"])),
    "typed": lambda n: amf.TypedObject(n["alias"], value_of(n["values"])),
    "dictionary": _dictionary,
    "int vector": lambda n: amf.IntVector(n["items"], fixed=n["fixed"]),
    "uint vector": lambda n: amf.UIntVector(n["items"], fixed=n["fixed"]),
    "double vector": lambda n: amf.DoubleVector(n["items"], fixed=n["fixed"]),
    "object vector": _object_vector,
    "ArrayCollection": lambda n: amf.ArrayCollection(value_of(n["source"])),
    "ArrayList": lambda n: amf.ArrayList(value_of(n["source"])),
    "ObjectProxy": lambda n: amf.ObjectProxy(value_of(n["source"])),
    "ManagedObjectProxy": lambda n: amf.ManagedObjectProxy(value_of(n["source"])),
}


@pytest.mark.parametrize(("version", "case"), cases())
def test_vector(version: int, case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    expected = value_of(case["value"])
    decoded = amf.loads(data, version)
    if isinstance(expected, float) and math.isnan(expected):
        assert math.isnan(decoded)
    else:
        assert decoded == expected
        assert repr(decoded) == repr(expected) or version == 0 or not isinstance(expected, float)
    if case.get("canonical", True):
        assert amf.dumps(decoded, version) == data
        if "typed" not in json.dumps(case["value"]):
            assert amf.dumps(expected, version) == data


def test_there_are_at_least_250_with_different_names() -> None:
    names = [case.id for case in cases()]
    assert len(set(names)) == len(names) >= 250
