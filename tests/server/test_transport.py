"""TCP as a session's transport."""

import asyncio

from rtmp_channels.server.transport import TcpTransport


async def test_a_host_that_acknowledges_is_not_silent():
    transports = asyncio.Queue()

    class Server(asyncio.Protocol):
        def connection_made(self, transport):
            transports.put_nowait(transport)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    accepted = await transports.get()
    transport = TcpTransport(accepted)
    await asyncio.sleep(0.3)
    since_the_handshake = transport.silence()
    assert since_the_handshake >= 0.2
    transport.write(b"ping")
    assert await reader.readexactly(4) == b"ping"
    assert transport.silence() < since_the_handshake
    accepted.abort()
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
