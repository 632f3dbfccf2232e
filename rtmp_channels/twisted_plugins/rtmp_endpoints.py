"""Makes the endpoint types rtmp: and rtmps: known to Twisted.

Twisted imports this file to list its plugins, so nothing is imported here that could fail: an
error would only show as "Unknown endpoint type".
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IStreamServerEndpointStringParser
from twisted.plugin import IPlugin
from zope.interface import implementer


@implementer(IPlugin, IStreamServerEndpointStringParser)
class _RtmpParser:
    prefix = "rtmp"

    def parseStreamServer(self, reactor: Any, *args: str, **parts: str) -> Any:
        from rtmp_channels.server.strings import make_endpoint

        return make_endpoint(reactor, *args, **parts)


@implementer(IPlugin, IStreamServerEndpointStringParser)
class _RtmpsParser:
    prefix = "rtmps"

    def parseStreamServer(self, reactor: Any, *args: str, **parts: str) -> Any:
        from rtmp_channels.server.strings import make_tls_endpoint

        return make_tls_endpoint(reactor, *args, **parts)


rtmp = _RtmpParser()
rtmps = _RtmpsParser()
