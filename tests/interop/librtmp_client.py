"""python-librtmp driven by JSON lines: runs in a process of its own, since librtmp is C and blocks.

``python librtmp_client.py URL``; commands on stdin:
``{"do": "call", "method": …, "arguments": […]}`` → ``{"event": "result", "value": …}``
``{"do": "call_unknown", …}`` → ``{"event": "error", "information": {…}}``
``{"do": "listen", "method": …}`` → waits until the server has called that method.
A call of the server is reported as ``{"event": <method>, "arguments": […]}`` when it arrives.
"""

import json
import sys
from typing import Any
from urllib.parse import urlsplit

import librtmp  # type: ignore[import-untyped]

SECONDS = 10


def report(event: str, **facts: Any) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


def heard(connection: librtmp.RTMP, method: str, answer: str | None = None) -> None:
    """Report the server's calls of a method, and answer them where an answer is given."""

    def handler(*arguments: Any) -> str | None:
        report(method, arguments=list(arguments))
        return answer

    connection.register_invoke_handler(method, handler)


def call(connection: librtmp.RTMP, method: str, arguments: list[Any]) -> None:
    report("result", value=connection.call(method, *arguments).result(timeout=SECONDS))


def call_unknown(connection: librtmp.RTMP, method: str, arguments: list[Any]) -> None:
    connection.call(method, *arguments)
    information = connection.process_packets(invoked_method="_error", timeout=SECONDS)[0]
    report("error", information=information)


def main(url: str) -> None:
    app = urlsplit(url).path.strip("/")  # librtmp itself would end it at the second slash
    connection = librtmp.RTMP(url, app=app, tcurl=url, timeout=SECONDS)
    heard(connection, "onSay")
    heard(connection, "ping2", answer="yes, still here")
    report("connected", value=connection.connect().result(timeout=SECONDS))
    for line in sys.stdin:
        command = json.loads(line)
        match command["do"]:
            case "call":
                call(connection, command["method"], command["arguments"])
            case "call_unknown":
                call_unknown(connection, command["method"], command["arguments"])
            case "listen":
                connection.process_packets(invoked_method=command["method"], timeout=SECONDS)
    connection.close()


main(*sys.argv[1:])
