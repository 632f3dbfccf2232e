"""The demo site's ASGI application: HTTP, RTMP, and RTMP in tunnels through both web doors."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django_application = get_asgi_application()  # loads the apps: consumers come after it

from project.demo.applications import Live, Lobby, Open  # noqa: E402
from rtmp_channels.auth import RtmpAuthMiddleware  # noqa: E402
from rtmp_channels.routing import RtmpRouter  # noqa: E402
from rtmp_channels.tunnels.rtmpt import RtmptTunnel  # noqa: E402
from rtmp_channels.tunnels.websocket import WebSocketTunnel  # noqa: E402

rtmp = RtmpAuthMiddleware(
    RtmpRouter({"lobby": Lobby.as_asgi(), "live": Live.as_asgi(), "open": Open.as_asgi()})
)
# The admin's stylesheets, without a web server in front of the demo.
pages = ASGIStaticFilesHandler(django_application)
application = ProtocolTypeRouter(
    {
        "http": RtmptTunnel(rtmp, pages),
        "rtmp": rtmp,
        "websocket": URLRouter(
            [
                path("ws/tunnel/", WebSocketTunnel.as_asgi(rtmp)),
                re_path("", WebsocketDenier.as_asgi()),
            ]
        ),
    }
)
