"""What a reference page says about a settings dict, against the dataclass behind the dict."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import Any

from tests.support.process import REPOSITORY

REFERENCE = REPOSITORY / "docs" / "reference"
ROW = re.compile(r"^\| `([A-Z_]+)` \| ([^|]*?) \|", re.MULTILINE)


def documented(page: str, section: str = "") -> dict[str, str]:
    """Key → default as the page's tables have it; of one section (its heading) only, if given."""
    text = (REFERENCE / page).read_text()
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return dict(ROW.findall(text))


def defaults(settings: Any) -> dict[str, str]:
    """Key → default as a page should have it; a dict in turn has no default of its own."""
    values = {one.name.upper(): getattr(settings, one.name) for one in fields(settings)}
    return {
        key: "a dict" if is_dataclass(value) else f"`{value!r}`".replace("'", '"')
        for key, value in values.items()
    }
