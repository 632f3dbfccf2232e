"""RTMP servers of others, answering echo.echo: `python rtmp_peers.py rtmplite3|pyrtmp PORT`."""

import asyncio
import logging
import sys
from typing import Any


def rtmplite3(port: int) -> None:
    from rtmplite3 import multitask
    from rtmplite3.rtmp import App, FlashServer

    class Echo(App):  # type: ignore[misc]
        def onCommand(self, client: Any, command: str, *arguments: Any) -> Any:
            return arguments[0]

    server = FlashServer()
    server.apps["*"] = Echo
    server.start("127.0.0.1", port)
    multitask.run()


def pyrtmp(port: int) -> None:
    from bitstring import BitStream
    from pyrtmp.amf.serializers import AMF0Deserializer, AMF0Serializer
    from pyrtmp.messages import Chunk
    from pyrtmp.rtmp import RTMPProtocol, SimpleRTMPController

    class Echo(SimpleRTMPController):  # type: ignore[misc]
        async def on_unknown_message(self, session: Any, message: Any) -> None:
            data = BitStream(message.payload)
            _, transaction_id, _, value = (AMF0Deserializer.from_stream(data) for _ in range(4))
            answer = BitStream()
            for item in ("_result", transaction_id, None, value):
                AMF0Serializer.create_object(answer, item)
            chunk = Chunk(
                chunk_type=0,
                chunk_id=message.chunk_id,
                timestamp=0,
                msg_length=len(answer.bytes),
                msg_type_id=0x14,
                msg_stream_id=0,
                payload=answer.bytes,
            )
            session.write_chunk_to_stream(chunk)
            await session.drain()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: RTMPProtocol(Echo()), "127.0.0.1", port)
        await server.serve_forever()

    # It logs every command that it does not know: a fair comparison has it silent.
    logging.disable(logging.CRITICAL)
    asyncio.run(serve())


if __name__ == "__main__":
    {"rtmplite3": rtmplite3, "pyrtmp": pyrtmp}[sys.argv[1]](int(sys.argv[2]))
