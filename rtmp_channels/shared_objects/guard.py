"""Holds a client's requests against its grant, before the sequencer sees them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from rtmp_channels.exceptions import WHATEVER_IS_RAISED
from rtmp_channels.shared_objects.encoding import Request
from rtmp_channels.shared_objects.grants import Grant
from rtmp_channels.shared_objects.operations import ClearSlots, RemoveSlot, Send, SetSlot
from rtmp_channels.shared_objects.state import ObjectState

logger = logging.getLogger(__name__)

Validate = Callable[[str, Any], bool]


def refusals(
    requests: Sequence[Request], grant: Grant, state: ObjectState, *, limit: int
) -> list[str]:
    """Why each request is refused, or "". More than `limit` in one message are refused together."""
    if len(requests) > limit:
        return [f"{len(requests)} operations in a message ({limit} at most)"] * len(requests)
    return [_refusal(request, grant, state) for request in requests]


def _refusal(request: Request, grant: Grant, state: ObjectState) -> str:
    operation = request.operation
    if isinstance(operation, Send):
        return "" if grant.send else "sending is not granted"
    if not grant.write:
        return "writing is not granted"
    if grant.validate is None:
        return ""
    match operation:
        case SetSlot(key, data):
            valid = _is_valid(grant.validate, key, None if data is None else request.value)
        case RemoveSlot(key):
            valid = _is_valid(grant.validate, key, None)
        case ClearSlots():
            valid = all(_is_valid(grant.validate, key, None) for key, _ in state.values())
    return "" if valid else "the validator is against it"


def _is_valid(validate: Validate, key: str, value: Any) -> bool:
    try:
        return validate(key, value)
    except WHATEVER_IS_RAISED:
        logger.exception("A shared object's validator failed for slot %r", key)
        return False
