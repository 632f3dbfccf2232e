"""Hypothesis without deadlines: machines that build are busy machines."""

from hypothesis import settings

# At once, not in a fixture: what a test's own settings leave open is taken when it is read.
settings.register_profile("codec", deadline=None)
settings.load_profile("codec")
