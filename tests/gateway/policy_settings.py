"""Settings of the processes that test_policy starts; the environment names their database."""

from tests.settings import *  # noqa: F403

AMF_REMOTING = {"SERVICES": {"math": "tests.gateway.services"}}
