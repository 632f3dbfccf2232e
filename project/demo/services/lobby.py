"""Calls that need a lasting connection: the room around the caller, and a call back."""

from amf_remoting.dispatch import Call
from amf_remoting.exceptions import Fault, FaultCode
from amf_remoting.registry import remote_method, service

MAX_TEXT = 10_000


@service("lobby")
class LobbyService:
    """For the application lobby, whose instances are rooms."""

    @remote_method(connection=True)
    async def say(self, call: Call, text: str) -> None:
        """The others in the room get a call of their onSay(text)."""
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise Fault(FaultCode.BAD_ARGUMENTS, f"a text of at most {MAX_TEXT} letters expected")
        await call.connection.broadcast("onSay", text)

    @remote_method(connection=True)
    async def callme(self, call: Call) -> object:
        """Calls the caller's ping2("are you there") and returns its answer."""
        return await call.connection.call("ping2", "are you there")
