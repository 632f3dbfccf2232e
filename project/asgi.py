"""The demo site's ASGI application: HTTP and RTMP."""

import os

from channels.routing import ProtocolTypeRouter
from channels.security.websocket import WebsocketDenier
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django_application = get_asgi_application()  # loads the apps: consumers come after it

from project.demo.applications import Live, Lobby, Open  # noqa: E402
from rtmp_channels.auth import RtmpAuthMiddleware  # noqa: E402
from rtmp_channels.routing import RtmpRouter  # noqa: E402

rtmp_applications = {"lobby": Lobby.as_asgi(), "live": Live.as_asgi(), "open": Open.as_asgi()}
application = ProtocolTypeRouter(
    {
        # The admin's stylesheets, without a web server in front of the demo.
        "http": ASGIStaticFilesHandler(django_application),
        "rtmp": RtmpAuthMiddleware(RtmpRouter(rtmp_applications)),
        "websocket": WebsocketDenier.as_asgi(),
    }
)
