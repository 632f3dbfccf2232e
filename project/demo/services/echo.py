"""What goes in comes out: for clients that check their own codec."""

from amf_remoting.exceptions import Fault
from amf_remoting.registry import remote_method, service


@service("echo")
class EchoService:
    """Values as they arrived."""

    @remote_method(blocking=False)
    def echo(self, value: object) -> object:
        """The value itself."""
        return value

    @remote_method(blocking=False)
    def args(self, *values: object) -> list[object]:
        """All arguments as a list."""
        return list(values)

    @remote_method(blocking=False)
    def fail(self, message: str = "failed on request") -> None:
        """Never succeeds: the caller's status handler gets message as the description."""
        raise Fault("Demo.Failed", str(message))
