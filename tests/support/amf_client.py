"""Calls over the gateway, with our own packet and the standard library's HTTP client."""

import urllib.request
from typing import Any

from amf_remoting.packet import Message, Packet, parse


def call_gateway(url: str, target: str, *arguments: object, encoding: int = 0) -> tuple[bool, Any]:
    """(whether it succeeded, the result or the onStatus object)."""
    message = Message(target, "/1", list(arguments), encoding=encoding)
    packet = Packet(version=encoding, headers=[], messages=[message])
    request = urllib.request.Request(
        url, packet.serialize(), {"Content-Type": "application/x-amf"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        assert response.headers["Content-Type"] == "application/x-amf"
        (answer,) = parse(response.read()).messages
    assert answer.target_uri in {"/1/onResult", "/1/onStatus"}
    return answer.target_uri == "/1/onResult", answer.value
