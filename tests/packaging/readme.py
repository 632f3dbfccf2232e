"""What the README tells its readers to type, so that the tests type exactly that."""

import re

from tests.support.process import REPOSITORY

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (mysite/\w+\.py)\n")


def files_to_append() -> dict[str, str]:
    """`{"mysite/settings.py": "INSTALLED_APPS = …"}`: blocks that open with a file's name."""
    files = {}
    for language, text in FENCE.findall((REPOSITORY / "README.md").read_text()):
        if language == "python" and (name := FILE.match(text)):
            files[name[1]] = text[name.end() :]
    return files


def commands(starting_with: str) -> list[list[str]]:
    """The shell commands that begin with this word, as lists of words, in the README's order."""
    lines = (
        line.partition("#")[0].split()
        for language, text in FENCE.findall((REPOSITORY / "README.md").read_text())
        if language == "sh"
        for line in text.splitlines()
    )
    return [words for words in lines if words[:1] == [starting_with]]
