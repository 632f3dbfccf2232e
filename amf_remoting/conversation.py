"""The client's side of remoting without I/O: packets out, outcomes in.

Like a NetConnection it keeps headers, sends those that the server asked to be persistent,
follows changes of the gateway's address and lets responses call methods of the client.
"""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from . import packet as packets
from .amf import AMFError, Limits
from .exceptions import RemoteFault, TransportError
from .packet import Header, Message, Packet

logger = logging.getLogger(__name__)

CONTENT_TYPE = packets.CONTENT_TYPE
_ANSWER = re.compile(r"/([0-9]{1,5})/on(Result|Status|DebugEvents)")
_UNANSWERED = object()


@dataclass(slots=True, eq=False)
class Pending:
    """A call of a batch, and its outcome once the batch was sent."""

    target: str
    arguments: tuple[Any, ...]
    _value: Any = _UNANSWERED
    _fault: RemoteFault | None = None

    def result(self) -> Any:
        """The method's result. RemoteFault if it failed, TransportError without an answer."""
        if self._fault is not None:
            raise self._fault
        if self._value is _UNANSWERED:
            raise TransportError(f"{self.target} was not answered")
        return self._value

    def succeed(self, value: Any) -> None:
        """onResult arrived."""
        self._value = value

    def fail(self, status: Any) -> None:
        """onStatus arrived."""
        self._fault = RemoteFault.of(status)


@dataclass(slots=True)
class Conversation:
    """What lasts between the packets of one client."""

    url: str
    """The gateway's address; a response may change it."""
    version: Literal[0, 3] = 0
    """The encoding of requests."""
    follow_elsewhere: bool = False
    """Whether ReplaceGatewayUrl may lead to another scheme, host or port."""
    limits: Limits = field(default_factory=Limits)
    headers: dict[str, Header] = field(default_factory=dict)
    """Sent with every packet."""
    methods: dict[str, Callable[[Any], object]] = field(default_factory=dict)
    """What responses may call, by name, with one argument."""
    _first_url: str = ""

    def __post_init__(self) -> None:
        self._first_url = self.url

    def add_header(self, name: str, value: Any, *, must_understand: bool = False) -> None:
        """Sends this header with every packet from now on."""
        self.headers[name] = Header(name, must_understand, value)

    def set_credentials(self, userid: str, password: str) -> None:
        """Sends the Credentials header from now on; empty ones end that."""
        self.headers.pop("Credentials", None)
        if userid:
            self.add_header("Credentials", {"userid": userid, "password": password})

    def request(self, calls: Iterable[Pending]) -> bytes:
        """The packet of these calls. EncodeError if an argument has no AMF form."""
        messages = [
            Message(call.target, f"/{number}", list(call.arguments), encoding=self.version)
            for number, call in enumerate(calls, 1)
        ]
        packet = Packet(self.version, list(self.headers.values()), messages)
        return packet.serialize(limits=self.limits)

    def receive(self, data: bytes, calls: list[Pending]) -> None:
        """Takes the response to ``calls``. TransportError if it is no packet."""
        try:
            packet = packets.parse(data, limits=self.limits)
        except AMFError as error:
            raise TransportError(f"the response is no AMF packet: {error}") from error
        for header in packet.headers:
            self._obey(header)
        for message in packet.messages:
            answer = _ANSWER.fullmatch(message.target_uri)
            if answer is None:
                self._call_client_by(message)
            elif 1 <= int(answer[1]) <= len(calls):
                _settle(calls[int(answer[1]) - 1], answer[2], message)

    def _obey(self, header: Header) -> None:
        match header.name, header.value:
            case "AppendToGatewayUrl", str(suffix):
                self.url = self._first_url + suffix
            case "ReplaceGatewayUrl", str(url):
                self._replace_url(url)
            case "RequestPersistentHeader", {"name": str(name), "data": value, **rest}:
                must_understand = rest.get("mustUnderstand") is True
                self.add_header(name, value, must_understand=must_understand)
            case name, value:
                self._call_client(name, value)

    def _replace_url(self, target: str) -> None:
        try:
            url = urljoin(self.url, target)
            old, new = urlsplit(self.url), urlsplit(url)
        except ValueError:
            logger.warning("the gateway's move to %r is not followed", target[:200])
            return
        if (old.scheme, old.netloc) != (new.scheme, new.netloc) and not self.follow_elsewhere:
            logger.warning("the gateway's move to %s://%s is not followed", new.scheme, new.netloc)
            return
        self.url = self._first_url = url

    def _call_client_by(self, message: Message) -> None:
        if message.error is None:
            self._call_client(message.target_uri, message.value)
        else:
            name = message.target_uri[:200]
            logger.warning("the gateway's call of %r cannot be decoded: %s", name, message.error)

    def _call_client(self, name: str, value: Any) -> None:
        method = self.methods.get(name)
        if method is None:
            logger.info("the gateway called %r, which this client does not have", name[:200])
            return
        try:
            method(value)
        except Exception:
            # The answers of the calls come behind it.
            logger.exception("this client's method %r failed", name)


def _settle(call: Pending, kind: str, message: Message) -> None:
    if message.error is not None:
        call.fail(f"the answer cannot be decoded: {message.error}")
    elif kind == "Result":
        call.succeed(message.value)
    elif kind == "Status":
        call.fail(message.value)
