"""Links between pages of the documentation lead somewhere, and their Python is Python."""

import ast
import re
import textwrap
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY

DOCS = REPOSITORY / "docs"
LINK = re.compile(r"\]\(([^)#]+)")
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    linked = {DOCS / link for link in LINK.findall((DOCS / "index.md").read_text())}
    assert set(DOCS.rglob("*.md")) - linked == {DOCS / "index.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_python_can_be_compiled(page: Path) -> None:
    for code in PYTHON.findall(page.read_text()):
        compile(textwrap.dedent(code), page.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
