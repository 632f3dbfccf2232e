"""Pushes between real processes: views of two daphnes, and a command."""

import urllib.request
from urllib.parse import urlencode

import pytest

from rtmp_channels.protocol.events import CallReceived
from tests.support.demo_server import DemoServer
from tests.support.rtmp_client import RtmpClient

pytestmark = [pytest.mark.slow]

SITE = {
    "application": "tests.push.site:application",
    "environment": {"DJANGO_SETTINGS_MODULE": "tests.push.settings"},
}
ELSEWHERE = """
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from rtmp_channels import push

push.call_room("lobby/a", "onNotice", "room")
push.call_everyone("onNotice", "all")
push.call_user({user}, "onNotice", "user")
push.call_client("{client}", "onNotice", "client")
# Channels' own groups, as its users expect them.
async_to_sync(get_channel_layer().group_send)("news", {{"type": "news.flash", "text": "group"}})
push.kick_client("{kicked}", "Enough.")
"""
"""What a process does that serves nothing: a management command, a worker."""


def site(**environment: str) -> dict:
    return {**SITE, "environment": {**SITE["environment"], **environment}}


def get(server: DemoServer, path: str, **query: str) -> str:
    with urllib.request.urlopen(server.url(f"/{path}?{urlencode(query)}"), timeout=20) as response:
        return response.read().decode()


def notice(client: RtmpClient) -> list:
    return client.next_call("onNotice").arguments


def token_of(server: DemoServer, name: str) -> str:
    code = (
        "from django.contrib.auth.models import User;"
        "from rtmp_channels.auth import make_token;"
        f"user, _ = User.objects.get_or_create(username='{name}');"
        "print(user.pk, make_token(user))"
    )
    return server.manage("shell", "-v", "0", "-c", code).split()


def test_views_and_commands_over_redis(start_demo_server, redis_url):
    options = site(REDIS_URL=redis_url)
    one, two = start_demo_server(**options), start_demo_server(**options)
    pk, token = token_of(one, "ada")
    with (
        RtmpClient(one.rtmp_port, f"lobby/a?token={token}") as ada,
        RtmpClient(two.rtmp_port, f"lobby/a?token={token}") as ada_again,
        RtmpClient(two.rtmp_port, "lobby/b") as other,
        RtmpClient(one.rtmp_port, "news") as here,
        RtmpClient(two.rtmp_port, "news") as there,
    ):
        # A sync and an async view, each of the process that the client is not in.
        get(one, "push/client", to=other.call("id"), text="sync")
        get(one, "apush/client", to=other.call("id"), text="async")
        assert [notice(other), notice(other)] == [["sync"], ["async"]]
        get(two, "push/user", to=pk, text="mail")
        assert [notice(ada), notice(ada_again)] == [["mail"], ["mail"]]
        code = ELSEWHERE.format(user=pk, client=ada.call("id"), kicked=other.call("id"))
        one.manage("shell", "-v", "0", "-c", code)
        assert [notice(ada) for _ in range(4)] == [["room"], ["all"], ["user"], ["client"]]
        assert [notice(ada_again) for _ in range(3)] == [["room"], ["all"], ["user"]]
        assert (
            [notice(here), notice(here)] == [notice(there), notice(there)] == [["all"], ["group"]]
        )
        assert notice(other) == ["all"]
        with pytest.raises(ConnectionError):
            other.call("id")
        # Nobody was kicked beside it, and nothing came twice.
        assert [len(ada.call("id")), len(ada_again.call("id"))] == [32, 32]
        left = (*ada.events, *ada_again.events)
        assert not [event for event in left if isinstance(event, CallReceived)]
    assert "kicked: Enough." in two.log()


def test_views_without_redis(start_demo_server):
    server = start_demo_server(**SITE)
    get(server, "push/everyone", text="nobody is there yet")
    with RtmpClient(server.rtmp_port, "lobby/a") as client:
        for path in ("push", "apush"):
            get(server, f"{path}/room", to="lobby/a", text=path)
            assert notice(client) == [path]
        code = "from rtmp_channels import push; push.call_room('lobby/a', 'onNotice')"
        refused = server.manage_failing("shell", "-v", "0", "-c", code)
        assert "OutOfReach: no client can be reached from here" in refused
