"""What one endpoint's connections share."""

from __future__ import annotations

from rtmp_channels.conf import RtmpSettings
from rtmp_channels.open_sessions import open_sessions
from rtmp_channels.server.bridge import DaphneBridge, DaphneServer
from rtmp_channels.serving import serves
from rtmp_channels.session import Session
from rtmp_channels.transport import Peer, Transport


class Listener:
    """Opens sessions for the connections of one endpoint."""

    def __init__(self, server: DaphneServer, *, scheme: str, settings: RtmpSettings) -> None:
        self.scheme = scheme
        self.settings = settings
        self._server = server
        serves(self)

    def open_session(self, transport: Transport, peer: Peer) -> Session | None:
        """A session for a new connection; None beyond a limit."""
        return open_sessions.get().open(
            transport,
            self._server.application,
            peer=peer,
            settings=self.settings,
            holder=DaphneBridge(self._server),
        )
