"""The demo site with its call log on."""

from project.settings import *  # noqa: F403
from project.settings import AMF_REMOTING as _AMF_REMOTING

AMF_REMOTING = {**_AMF_REMOTING, "CALL_LOG": True, "CALL_LOG_SECONDS": 0.2}
