"""The demo site with the applications that the recorded clients ask for."""

from channels.routing import ProtocolTypeRouter
from project.demo.consumers import LobbyConsumer
from rtmp_channels.routing import RtmpRouter

from project.asgi import application as demo

application = ProtocolTypeRouter(
    {
        **demo.application_mapping,
        "rtmp": RtmpRouter({"live": LobbyConsumer.as_asgi(), "app": LobbyConsumer.as_asgi()}),
    }
)
