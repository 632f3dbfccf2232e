"""Signals about connections; receivers may be async, and are sent with `asend`."""

from __future__ import annotations

from django.dispatch import Signal

connection_accepted = Signal()
"""A consumer has accepted its connection. Arguments: consumer, scope; sender: the class."""

connection_closed = Signal()
"""An accepted connection is over, whatever ended it. Arguments: consumer, scope, code."""
