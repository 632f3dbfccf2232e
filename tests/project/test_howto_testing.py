"""The tests of docs/how-to/test-your-application.md pass."""

import re

from tests.support.process import REPOSITORY

HOW_TO = REPOSITORY / "docs/how-to"


def python(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (HOW_TO / page).read_text(), re.DOTALL)


async def test_as_they_stand() -> None:
    consumer = python("write-an-rtmp-application.md")[0]
    by_itself, over_a_socket = python("test-your-application.md")[:2]
    names: dict = {}
    exec("\n".join((consumer, by_itself, over_a_socket)), names)
    await names["test_moves_reach_the_others"]()
    await names["test_over_a_socket"]()
