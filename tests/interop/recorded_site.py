"""The demo site with the applications that the recorded clients ask for, open to all of them."""

from channels.routing import ProtocolTypeRouter

from project.asgi import application as demo  # loads Django's apps: stays first
from project.demo.applications import Lobby, Open
from rtmp_channels.routing import RtmpRouter

application = ProtocolTypeRouter(
    {
        **demo.application_mapping,
        "rtmp": RtmpRouter({"live": Open.as_asgi(), "app": Lobby.as_asgi()}),
    }
)
