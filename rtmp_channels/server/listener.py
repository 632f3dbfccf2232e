"""The sessions of one endpoint: limits, bookkeeping, the end."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

from rtmp_channels.application import ASGIApplication
from rtmp_channels.conf import RtmpSettings
from rtmp_channels.server.bridge import DaphneBridge, DaphneServer
from rtmp_channels.server.transport import RECEIVE_BUFFER_BYTES
from rtmp_channels.serving import serves
from rtmp_channels.session import Session
from rtmp_channels.transport import Peer, Transport

logger = logging.getLogger(__name__)


class Listener:
    """Opens sessions for the connections of one endpoint, and ends them when the server stops."""

    def __init__(self, server: DaphneServer, *, scheme: str, settings: RtmpSettings) -> None:
        self.scheme = scheme
        self.settings = settings
        self.receive_buffer = memoryview(bytearray(RECEIVE_BUFFER_BYTES))
        self._server = server
        self._bridges: dict[DaphneBridge, None] = {}
        self._per_address: Counter[str] = Counter()
        self._is_stopping = False
        self._all_closed: asyncio.Event | None = None
        self._refusing = False
        serves(self)

    @property
    def application(self) -> ASGIApplication:
        """What daphne serves."""
        return self._server.application

    def open_session(self, transport: Transport, peer: Peer) -> Session | None:
        """A session for a new connection; None, and one log line per burst, beyond a limit."""
        refusal = self._refusal(peer)
        if refusal:
            if not self._refusing:
                logger.warning("%s: refused: %s", peer, refusal)
            self._refusing = True
            return None
        self._refusing = False
        bridge = DaphneBridge(self._server, on_closed=self._forget)
        self._bridges[bridge] = None
        if peer.client is not None:
            self._per_address[peer.client[0]] += 1
        return bridge.open(transport, peer, settings=self.settings)

    def end_all(self) -> None:
        """Ends all sessions, and takes no new ones."""
        self._is_stopping = True
        for bridge in tuple(self._bridges):
            bridge.shut_down()

    async def all_closed(self) -> None:
        """Returns when all sessions are over, after `shutdown_timeout` at most."""
        if not self._bridges:
            return
        self._all_closed = asyncio.Event()
        try:
            async with asyncio.timeout(self.settings.shutdown_timeout):
                await self._all_closed.wait()
        except TimeoutError:
            await self._cut_rest()

    async def _cut_rest(self) -> None:
        logger.warning("%d RTMP connections did not end in time: cut", len(self._bridges))
        tasks = [task for bridge in tuple(self._bridges) if (task := bridge.cut()) is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    def _refusal(self, peer: Peer) -> str:
        settings = self.settings
        if self._is_stopping:
            return "the server stops"
        if len(self._bridges) >= settings.max_connections:
            return f"{settings.max_connections} connections are open"
        address = peer.client[0] if peer.client is not None else ""
        if self._per_address[address] >= settings.max_connections_per_address:
            return f"{settings.max_connections_per_address} connections from that address are open"
        return ""

    def _forget(self, bridge: DaphneBridge) -> None:
        del self._bridges[bridge]
        if bridge.peer is not None and bridge.peer.client is not None:
            address = bridge.peer.client[0]
            self._per_address[address] -= 1
            if not self._per_address[address]:
                del self._per_address[address]
        if self._all_closed is not None and not self._bridges:
            self._all_closed.set()
