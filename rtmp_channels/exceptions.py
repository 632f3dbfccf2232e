"""What can go wrong above the protocol.

RtmpError
├── CallFailed          the client answered a call of ours with an error
├── CallTimedOut        the client did not answer a call of ours in time
├── ConnectionClosed    the connection ended before the client answered
├── PushFailed          code outside of the server cannot reach clients
│   ├── OutOfReach      nothing joins this process to one that serves RTMP
│   └── LayerFailed     the channel layer does not answer
└── DialectError        an application sent a message that the ASGI dialect does not allow now

The first three are Faults as well: a method that fails because a client does so is no bug of the
method's, and whoever called it is told why.
"""

from __future__ import annotations

from amf_remoting.exceptions import Fault, RemoteFault

WHATEVER_IS_RAISED = (Exception, SystemExit, KeyboardInterrupt)
"""By a site's own code: on a loop nobody else raises the last two. None of it ends the server."""


class RtmpError(Exception):
    """Root of this app's errors; the protocol floor has a tree of its own."""


class CallFailed(RtmpError, RemoteFault):
    """The client answered a call of ours with `_error`; `CallFailed.of` takes what it sent."""

    def __str__(self) -> str:
        return f"{self.code}: {self.description}"[:200]


class CallTimedOut(RtmpError, Fault, TimeoutError):
    """The client did not answer a call of ours in time."""

    def __init__(self, method: str) -> None:
        Fault.__init__(self, "NetConnection.Call.TimedOut", f"No answer to {method[:200]} in time.")


class ConnectionClosed(RtmpError, Fault):
    """The connection ended before the client answered."""

    def __init__(self, description: str) -> None:
        Fault.__init__(self, "NetConnection.Connect.Closed", description)


class DialectError(RtmpError):
    """An application sent a message that the dialect does not know, or not in this state."""


class PushFailed(RtmpError):
    """Clients cannot be reached."""


class OutOfReach(PushFailed):
    """Nothing joins this process to one that serves RTMP."""


class LayerFailed(PushFailed):
    """The channel layer, which joins the processes, does not answer."""
