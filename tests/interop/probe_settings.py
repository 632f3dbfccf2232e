"""The demo site with a service that tells what arrived."""

from project.settings import *  # noqa: F403
from project.settings import AMF_REMOTING as DEMO

AMF_REMOTING = {
    **DEMO,
    "SERVICES": {**DEMO["SERVICES"], "probe": "tests.interop.probe.ProbeService"},
}
