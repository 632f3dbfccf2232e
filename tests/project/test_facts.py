"""Each of the 34 facts of AMF's wire that the specifications leave out has a test that says so."""

import ast
from collections.abc import Iterator

from tests.support.process import REPOSITORY

FACTS = range(1, 35)


def marked_facts() -> Iterator[int]:
    """The numbers of all `@pytest.mark.fact(number)` above a test."""
    for folder in ("tests/codec", "tests/gateway"):
        for path in sorted((REPOSITORY / folder).glob("test_*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    for decorator in node.decorator_list:
                        call = ast.unparse(decorator)
                        if call.startswith("pytest.mark.fact("):
                            yield int(call.removeprefix("pytest.mark.fact(").rstrip(")"))


def test_every_fact_has_a_test() -> None:
    assert set(marked_facts()) == set(FACTS)
