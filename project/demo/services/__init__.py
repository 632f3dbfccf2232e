"""Services of the demo site: the same at every door (AMF, RTMP, WebSocket, JSON).

The setting SERVICES exposes them, as classes here and as modules where functions suffice.
"""

from .echo import EchoService
from .lobby import LobbyService
from .people import PeopleService, Person
from .staff import StaffService

__all__ = ["EchoService", "LobbyService", "PeopleService", "Person", "StaffService"]
