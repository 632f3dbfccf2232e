"""What one message stream of a connection is used for, between request and end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtmp_channels.session import Session

Message = dict[str, Any]


class StreamUse(ABC):
    """A request to publish or to play, and what became of it."""

    def __init__(self, session: Session, message: Message) -> None:
        self.session = session
        self.message_stream_id: int = message["message_stream_id"]
        self.request = message

    def stream_name(self, answer: Message) -> str:
        """The stream's name in this process: the application's choice, else path and name.

        So it does not matter where a client divides "rtmp://host/live/one/show".
        """
        return str(answer.get("stream") or f"{self.session.path}/{self.request['stream_name']}")

    @abstractmethod
    def accept(self, answer: Message) -> None:
        """The application allows it."""

    @abstractmethod
    def close(self) -> None:
        """It is over, whatever ended it; harmless twice."""

    def end(self) -> None:
        """It ends on our side: the application hears of it."""
        self.session.application.media.forget(self)
        self.session.flush_soon()
