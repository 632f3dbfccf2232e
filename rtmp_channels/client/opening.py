"""Opens what carries a connection: TCP, TLS, HTTP requests or a WebSocket."""

from __future__ import annotations

import asyncio
import ssl

from rtmp_channels.client.address import Address, WebSocketAddress
from rtmp_channels.client.polled import PolledTransport
from rtmp_channels.client.websocket import WebSocketTransport


async def open_transport(
    protocol: asyncio.Protocol,
    address: Address,
    *,
    tunnel: WebSocketAddress | None,
    ssl_context: ssl.SSLContext | None,
) -> None:
    """Returns when `protocol` has its transport, to `address` or through the WebSocket `tunnel`.

    Raises OSError, and ConnectFailed when a web server or proxy refuses.
    """
    tls = address.tls if tunnel is None else tunnel.tls
    context = (ssl_context or ssl.create_default_context()) if tls else None
    if tunnel is not None:
        await WebSocketTransport.open(protocol, tunnel, context)
    elif address.is_polled:
        await PolledTransport.open(protocol, address, context)
    else:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: protocol, address.host, address.port, ssl=context)
