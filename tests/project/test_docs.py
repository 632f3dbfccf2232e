"""Links between pages of the documentation lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY

LINK = re.compile(r"\]\(([^)#]+)")
PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []
