"""The list of connections in the admin."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from rtmp_channels import push
from rtmp_channels.connections.database import write_beat
from rtmp_channels.connections.heartbeat import Beat
from rtmp_channels.exceptions import OutOfReach
from rtmp_channels.models import LiveConnection, ServerProcess
from tests.presence.facts import facts

pytestmark = pytest.mark.django_db

LIST = "/admin/rtmp_channels/liveconnection/"
KICK = "Kick selected connections"


@pytest.fixture
def ada():
    return User.objects.create_user("ada")


@pytest.fixture
def connections(ada):
    process = ServerProcess(key="k", host="web1", pid=42, started=timezone.now())
    opened = timezone.now() - timedelta(hours=2)
    listed = [
        facts("1" * 32, user=ada.pk, opened=opened, received=3 << 20),
        facts("2" * 32, transport="rtmps", path="open", opened=timezone.now(), round_trip=None),
    ]
    write_beat(process, Beat(10, 2, listed, counters={"idle_time": 3}))
    return LiveConnection.objects.order_by("connection_id")


def staff(*codenames):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def kick(client, *connections):
    data = {"action": "kick", "_selected_action": [one.pk for one in connections]}
    return client.post(LIST, data, follow=True)


def cells(response):
    """The texts of the list's cells, by row."""
    changelist = response.context["cl"]
    model_admin = changelist.model_admin
    names = ["who", "path", "round_trip_time", "traffic", "age"]
    return [[getattr(model_admin, name)(row) for name in names] for row in changelist.result_list]


def test_who_from_where_by_what_and_for_how_long(admin_client, connections):
    response = admin_client.get(LIST)
    (*known, age), ada = cells(response)
    assert known == ["nobody", "open", "", "3.4\xa0KB / 4.4\xa0KB"]
    assert age.endswith(" s")
    assert ada == ["ada", "lobby/room1", "20 ms", "3.0\xa0MB / 4.4\xa0KB", "2\xa0hours"]
    for text in ("192.0.2.1", "rtmps", "lobby/room1"):
        assert text in response.text


def test_the_ghosts_of_a_dead_process_are_not_listed(admin_client, connections):
    ServerProcess.objects.update(expires=Now())
    assert cells(admin_client.get(LIST)) == []
    process_list = admin_client.get("/admin/rtmp_channels/serverprocess/")
    assert process_list.context["cl"].result_count == 0


def test_processes_and_the_limits_they_met(admin_client, connections):
    text = admin_client.get("/admin/rtmp_channels/serverprocess/").text
    assert "web1" in text
    assert "idle_time 3" in text


@pytest.fixture
def kicked(monkeypatch):
    """The ids of whom was kicked; all are within reach."""
    kicked = []
    monkeypatch.setattr(push, "kick_client", kicked.append)
    monkeypatch.setattr(push, "is_within_reach", lambda connection_id: True)
    return kicked


def test_kick(admin_client, connections, kicked):
    response = kick(admin_client, *connections)
    assert kicked == ["2" * 32, "1" * 32]
    assert "2 connections are told to end." in response.text
    assert {entry.change_message for entry in LogEntry.objects.all()} == {"Kicked."}


def test_kick_in_another_process_without_a_layer(admin_client, connections, monkeypatch):
    monkeypatch.setattr(push, "kick_client", pytest.fail)
    response = kick(admin_client, connections[0])
    wanted = "rtmp://192.0.2.1 lobby/room1 is in another process, and no channel layer joins"
    assert wanted[1:] in response.text
    assert "told to end" not in response.text
    assert not LogEntry.objects.exists()


def test_kick_from_a_process_that_cannot(admin_client, connections, kicked, monkeypatch):
    def out_of_reach(connection_id):
        raise OutOfReach("no client can be reached from here")

    monkeypatch.setattr(push, "kick_client", out_of_reach)
    response = kick(admin_client, connections[0])
    assert "o client can be reached from here" in response.text
    assert not LogEntry.objects.exists()


def test_to_look_is_not_to_kick(connections, kicked):
    client = staff("view_liveconnection")
    assert KICK not in client.get(LIST).text
    kick(client, connections[0])
    assert kicked == []


def test_to_kick_needs_its_permission(connections, kicked):
    client = staff("view_liveconnection", "kick_connection")
    assert KICK in client.get(LIST).text
    kick(client, connections[0])
    assert kicked == ["1" * 32]


def test_others_see_nothing(connections):
    assert staff().get(LIST).status_code == 403


@pytest.mark.parametrize("model", ["liveconnection", "serverprocess"])
def test_nothing_is_written_by_hand(admin_client, connections, model):
    row = LiveConnection.objects.first() if model == "liveconnection" else connections[0].process
    page = f"/admin/rtmp_channels/{model}"
    assert admin_client.get(f"{page}/add/").status_code == 403
    assert admin_client.post(f"{page}/{row.pk}/delete/").status_code == 403
    response = admin_client.get(f"{page}/{row.pk}/change/")
    assert response.status_code == 200
    assert 'name="_save"' not in response.text
