"""Servers for the tests of this folder."""

import pytest

from tests.server.daphne import Daphne, daphne_command

RTMP = "rtmp:port=0:interface=127.0.0.1"
HTTP = "tcp:port=0:interface=127.0.0.1"


@pytest.fixture
def start_daphne():
    """Starts daphne with these endpoints; stopped at the end."""
    started = []

    def start(*endpoints, **environment):
        server = Daphne(daphne_command(*endpoints), environment)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def shared_daphne():
    """One server for the tests of a module that leave it as they found it."""
    server = Daphne(daphne_command(RTMP))
    server.wait_for_log("Listening on")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def rtmp_port(shared_daphne):
    return shared_daphne.port()
