"""The list of connections of real processes: seen and kicked from another, gone with them."""

import re
import sqlite3
import time
from contextlib import closing
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from tests.support.rtmp_client import RtmpClient

pytestmark = [pytest.mark.slow]

ROWS = """
SELECT process.pid, connection.application || '/' || connection.instance, connection.transport
FROM rtmp_channels_liveconnection connection
JOIN rtmp_channels_serverprocess process ON connection.process_id = process.id
"""
LIST = "/admin/rtmp_channels/liveconnection/"
MAKE_ADMIN = """
from django.contrib.auth.models import User
User.objects.create_superuser("boss", password="secret")
"""
KICK_OPEN = """
from rtmp_channels import push
from rtmp_channels.models import LiveConnection
push.kick_client(LiveConnection.objects.alive().get(application="open").connection_id)
"""


def listed(server):
    with closing(sqlite3.connect(server.environment["DATABASE"], timeout=20)) as database:
        return {(pid, name): transport for pid, name, transport in database.execute(ROWS)}


def processes(server):
    with closing(sqlite3.connect(server.environment["DATABASE"], timeout=20)) as database:
        return database.execute("SELECT count(*) FROM rtmp_channels_serverprocess").fetchone()[0]


def until_listed(server, wanted):
    """Waits for the list to be so: another process's beat offers no event to wait for."""
    deadline = time.monotonic() + 20
    while (found := listed(server)) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def options(**environment):
    settings = {"DJANGO_SETTINGS_MODULE": "tests.presence.settings"}
    return {"environment": {**settings, **environment}}


class Admin:
    """A browser's part: logs in and posts the list's form."""

    def __init__(self, server):
        self.server = server
        self.cookies = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.cookies))
        server.manage("shell", "-v", "0", "-c", MAKE_ADMIN)
        self.get("/admin/login/")
        self.post("/admin/login/?next=/admin/", username="boss", password="secret")

    def get(self, path):
        with self.opener.open(self.server.url(path), timeout=20) as response:
            return response.read().decode()

    def post(self, path, **fields):
        token = next(one.value for one in self.cookies if one.name == "csrftoken")
        data = urlencode({**fields, "csrfmiddlewaretoken": token}).encode()
        with self.opener.open(self.server.url(path), data, timeout=20) as response:
            return response.read().decode()


def test_kicked_in_the_admin_of_one_process_which_then_leaves_the_list(start_demo_server):
    server = start_demo_server(may_be_killed=True, **options())
    with RtmpClient(server.rtmp_port, "lobby/a") as client:
        until_listed(server, {(server.process.pid, "lobby/a"): "rtmp"})
        admin = Admin(server)
        (row,) = re.findall(r'name="_selected_action" value="(\d+)"', admin.get(LIST))
        said = admin.post(LIST, action="kick", _selected_action=row)
        assert "1 connection is told to end." in said
        with pytest.raises(ConnectionError):
            client.call("echo.echo", 1)
    assert processes(server) == 1
    server.process.terminate()
    assert server.process.wait(20) == 0
    assert processes(server) == 0


def test_kicked_from_another_process_and_no_ghosts(start_demo_server, redis_url):
    one, two = (start_demo_server(**options(REDIS_URL=redis_url)) for _ in range(2))
    three = start_demo_server(may_be_killed=True, **options(REDIS_URL=redis_url))
    pids = [server.process.pid for server in (one, two, three)]
    with (
        RtmpClient(one.rtmp_port, "lobby/a"),
        RtmpClient(two.rtmp_port, "open") as kicked,
        RtmpClient(two.rtmp_port, "lobby/stage") as kicked_too,
        RtmpClient(three.rtmp_port, "lobby/b"),
    ):
        everyone = {
            (pids[0], "lobby/a"): "rtmp",
            (pids[1], "open/"): "rtmp",
            (pids[1], "lobby/stage"): "rtmp",
            (pids[2], "lobby/b"): "rtmp",
        }
        until_listed(one, everyone)
        one.manage("shell", "-v", "0", "-c", KICK_OPEN)
        with pytest.raises(ConnectionError):
            kicked.call("echo.echo", 1)
        admin = Admin(one)  # in a process that has connections of its own
        (row,) = re.findall(r'name="_selected_action" value="(\d+)"', admin.get(f"{LIST}?q=stage"))
        assert "1 connection is told to end." in admin.post(
            f"{LIST}?q=stage", action="kick", _selected_action=row
        )
        with pytest.raises(ConnectionError):
            kicked_too.call("echo.echo", 1)
        del everyone[pids[1], "open/"], everyone[pids[1], "lobby/stage"]
        until_listed(one, everyone)
        three.process.kill()
        three.process.wait()
        del everyone[pids[2], "lobby/b"]
        until_listed(one, everyone)
    until_listed(one, {})
