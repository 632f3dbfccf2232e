"""Services that the gateway's tests expose."""

import threading
from typing import Any

from django.contrib.auth.models import User

from amf_remoting.call import Call
from amf_remoting.exceptions import Fault
from amf_remoting.registry import remote_method


class Base:
    @remote_method
    def inherited(self) -> str:
        return "never"

    def overridden(self) -> str:
        return "never"


class EchoService(Base):
    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    @remote_method
    def echo(self, value: object) -> object:
        return value

    @remote_method
    async def aecho(self, value: object) -> object:
        return value

    @remote_method
    def args(self, *args: object) -> list[object]:
        return list(args)

    @remote_method
    def fail(self, message: str = "secret") -> None:
        raise ValueError(message)

    @remote_method
    async def afail(self, message: str = "secret") -> None:
        raise ValueError(message)

    @remote_method
    def refuse(self) -> None:
        raise Fault("Shop.SoldOut", "none left", details={"left": 0, "code": "ignored"})

    @remote_method
    def caller(self, call: Call, suffix: str = "") -> str:
        return f"{call.door}:{call.target}:{call.user}{suffix}"

    @remote_method
    async def acaller(self, call: Call) -> str:
        return f"{call.door}:{call.user.get_username()}"

    @remote_method
    def thread(self) -> str:
        return threading.current_thread().name

    @remote_method(blocking=False)
    def instant(self) -> str:
        return threading.current_thread().name

    @remote_method(blocking=False)
    def mistaken(self) -> int:
        """Says that it does not block, and asks the database."""
        return User.objects.count()

    @remote_method(connection=True)
    def lasting(self, call: Call) -> object:
        return call.connection

    @remote_method(name="new")
    def renamed(self) -> str:
        return "renamed"

    @staticmethod
    @remote_method
    def static(value: int) -> int:
        return value + 1

    @classmethod
    @remote_method
    def of_class(cls, value: int) -> str:
        return f"{cls.__name__}{value}"

    def overridden(self) -> str:
        return "not declared"

    @remote_method
    def greet(self, call: Call) -> Any:
        """Adds all there is to the response."""
        assert call.reply is not None
        call.reply.call_client("onNews", {"text": "hello"})
        call.reply.call_client("onNews")
        call.reply.request_persistent_header("Ticket", 7)
        call.reply.append_to_gateway_url(";ticket=7")
        call.reply.replace_gateway_url("https://other.example/gateway/")
        return call.headers.get("X-Test")

    @remote_method
    def spoil(self, call: Call) -> str:
        """Adds what cannot be encoded."""
        assert call.reply is not None
        call.reply.call_client("onNews", object())
        call.reply.add_header("Bad", object())
        return "fine"

    @remote_method
    def unspeakable_fault(self) -> None:
        raise Fault("Shop.Odd", "odd", details={"thing": object()}, level="warning")

    def undeclared(self) -> str:
        return "not declared"

    @remote_method
    def keyword(self, first: int, *, second: int = 2) -> list[int]:
        return [first, second]


class StaffService:
    @remote_method(login_required=True)
    def whoami(self, call: Call) -> str:
        return str(call.user.get_username())

    @remote_method(permission="auth.add_user")
    async def hire(self, call: Call, name: str) -> str:
        return f"{call.user.get_username()} hires {name}"


@remote_method
def add(a: int, b: int) -> int:
    return a + b


def hidden() -> str:
    return "never"


class Counter:
    """A plain object: one for all calls."""

    def __init__(self) -> None:
        self.count = 0

    @remote_method
    def step(self) -> int:
        self.count += 1
        return self.count


counter = Counter()
