"""The README's table of tested clients says what the tests do, and no more."""

from __future__ import annotations

import re
from pathlib import Path

from tests.interop import facts
from tests.support.process import REPOSITORY

TESTS = Path(__file__).parent


def test_the_readme_lists_what_is_tested() -> None:
    rows = [(fact.client, fact.does, fact.door) for fact in facts.FACTS.values()]
    expected = "\n".join(facts.table(("client", "what it does in the tests", "door"), rows))
    assert expected in (REPOSITORY / "README.md").read_text(), expected


def test_every_fact_is_shown_by_a_test() -> None:
    source = "".join(path.read_text() for path in TESTS.glob("test_*.py"))
    assert set(re.findall(r'mark\.client\("([\w-]+)"\)', source)) == set(facts.FACTS)
