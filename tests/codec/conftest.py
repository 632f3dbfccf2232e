"""Hypothesis without deadlines: machines that build are busy machines."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("codec", deadline=None)


@pytest.fixture(autouse=True, scope="package")
def _no_deadlines() -> Iterator[None]:
    before = settings.get_current_profile_name()
    settings.load_profile("codec")
    yield
    settings.load_profile(before)
