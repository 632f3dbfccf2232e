"""Who may do something: nobody, anyone, users, or users with one permission."""

from __future__ import annotations

from typing import Any

from amf_remoting.exceptions import Fault, FaultCode

NOBODY = "nobody"
ANYONE = "anyone"
"""Users or not."""
USERS = "users"
"""Everyone who is logged in. Anything else is a permission: "rtmp_channels.publish_stream"."""


async def is_allowed(who: str, user: Any) -> bool:
    """Whether the user is one of those."""
    if who in {NOBODY, ANYONE}:
        return who == ANYONE
    if user is None or not user.is_authenticated:
        return False
    return who == USERS or bool(await user.ahas_perm(who))


async def demand(who: str, user: Any, *, what: str) -> None:
    """Fault "Client.Authentication" or "Client.Authorization" if the user is none of those."""
    if await is_allowed(who, user):
        return
    if who != NOBODY and (user is None or not user.is_authenticated):
        raise Fault(FaultCode.AUTHENTICATION, f"{what} needs a login")
    raise Fault(FaultCode.AUTHORIZATION, f"{what} is not permitted to you")
