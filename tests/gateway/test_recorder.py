"""Packets recorded at the gateway, and the pages that show them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from amf_remoting import recorder as module
from amf_remoting import views
from amf_remoting.models import PolicyVersion, Recording
from amf_remoting.packet import Header, Message, Packet
from amf_remoting.policy import Policy, policy
from amf_remoting.recorder import Entry, Recorder, recording_until, start_recording, stop_recording

from .conftest import Post
from .test_browser import HOSTILE, Page

CALL = Packet(0, [], [Message("math.add", "/1", [1, 2])]).serialize()
LIST = "/services/recorded/"


@pytest.fixture
def recorder(with_policy: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A recorder without a thread."""
    mine = Recorder(background=False)
    monkeypatch.setattr(views, "recorder", mine)
    return mine


def change(settings: Any, **keys: Any) -> None:
    settings.AMF_REMOTING = {**settings.AMF_REMOTING, **keys}


def calls(client: Client, data: bytes = CALL, number: int = 1) -> None:
    for _ in range(number):
        client.post("/gateway/", data, content_type="application/x-amf")


def staff(*codenames: str) -> Client:
    user = User.objects.create_user("ada", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.django_db
def test_nothing_is_recorded_unless_somebody_wants_it(recorder: Recorder) -> None:
    calls(Client())
    recorder.flush()
    assert Recording.objects.count() == 0
    assert recording_until() is None


@pytest.mark.django_db(transaction=True)
def test_a_packet_and_its_answer(post: Post, recorder: Recorder) -> None:
    start_recording()
    response = post(CALL)
    assert Recording.objects.count() == 0, "no query per call"
    recorder.flush()
    (found,) = Recording.objects.all()
    assert (found.form, found.title, found.username, found.outcome) == (
        "packet",
        "math.add",
        "",
        "",
    )
    assert (bytes(found.request), bytes(found.response)) == (CALL, response.content)
    assert (found.request_size, found.response_size) == (len(CALL), len(response.content))
    assert timezone.now() - found.recorded_at < timedelta(seconds=60)


@pytest.mark.django_db(transaction=True)
def test_broken_packets_are_recorded_too(post: Post, recorder: Recorder) -> None:
    start_recording()
    post(CALL)
    assert post(b"\0\x09\0\0").status_code == 400
    assert post(b"", content_type="text/plain").status_code == 415
    post(Packet(0, [], [Message("no.where", "/1", []), Message("no.where", "/2", [])]))
    recorder.flush()
    found = Recording.objects.order_by("pk").values_list("title", "outcome")
    assert list(found)[:2] == [
        ("math.add", ""),
        ("", "no AMF packet: no AMF packet has version 9 (at byte 0)"),
    ]
    assert found[3] == ("no.where", "2 faults")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "data",
    [
        b"\0\x09\0\0",
        Packet(0, [], [Message("no.\u202ewhere", "/1", [])]).serialize(),
        CALL[:-1],
    ],
    ids=["no packet", "no method", "no value"],
)
def test_what_never_becomes_a_call_is_recorded_from_the_first(
    post: Post, recorder: Recorder, data: bytes
) -> None:
    post(CALL)
    start_recording()
    post(data)
    recorder.flush()
    (found,) = Recording.objects.all()
    assert bytes(found.request) == data
    assert found.title in ("", "math.add", "no.\\u202ewhere"), "nothing turns the list around"


@pytest.mark.django_db
def test_passwords_are_not_kept(recorder: Recorder) -> None:
    User.objects.create_user("joe", password="open sesame")
    start_recording()
    header = Header("Credentials", False, {"userid": "joe", "password": "open sesame"})
    message = Message("math.add", "/1", [1, 2])
    calls(Client(), Packet(0, [header], [message]).serialize())
    calls(Client(), Packet(0, [header], [message]).serialize())
    recorder.flush()
    for found in Recording.objects.all():
        assert b"sesame" not in bytes(found.request) + bytes(found.response)
        assert found.username == "joe"


@pytest.mark.django_db
def test_a_password_that_the_answer_repeats_is_not_kept(recorder: Recorder) -> None:
    asked = Packet(0, [], [Message("a.b", "/1", [{"password": "open sesame"}])]).serialize()
    answer = Packet(0, [], [Message("/1/onResult", value="open sesame")]).serialize()
    sizes = {"request_size": len(asked), "response_size": len(answer)}
    recorder.write([Entry(recorded_at=timezone.now(), request=asked, response=answer, **sizes)])
    assert b"sesame" not in bytes(Recording.objects.get().response)


@pytest.mark.django_db
@pytest.mark.parametrize("goes_on", [False, True])
def test_half_a_password_is_not_kept_of_what_goes_on(recorder: Recorder, goes_on: bool) -> None:
    whole = Packet(0, [], [Message("a.b", "/1", [{"password": "open sesame"}])]).serialize()
    half = whole[: whole.index(b"sesame") + 3]
    sizes = {"request_size": len(half), "response_size": len(half)}
    recorder.write(
        [Entry(recorded_at=timezone.now(), request=half, response=half, goes_on=goes_on, **sizes)]
    )
    found = Recording.objects.get()
    for data in (bytes(found.request), bytes(found.response)):
        assert (b"open" in data) is not goes_on
        assert half.startswith(data)


@pytest.mark.django_db
def test_sizes_number_and_age_are_bounded(recorder: Recorder, exposed: Any) -> None:
    change(exposed, RECORDED_PACKETS=3, RECORDED_PACKET_SIZE=60, RECORDED_HOURS=2)
    start_recording()
    calls(Client(), Packet(0, [], [Message("echo.echo", "/1", ["x" * 5000])]).serialize())
    recorder.flush()
    (found,) = Recording.objects.all()
    assert found.request_size > 5000
    assert found.response_size > 5000
    assert len(bytes(found.request)) < 60
    assert len(bytes(found.response)) < 60
    assert found.title == "echo.echo"
    calls(Client(), number=5)
    recorder.flush()
    assert list(Recording.objects.values_list("title", flat=True)) == ["math.add"] * 3
    Recording.objects.update(recorded_at=timezone.now() - timedelta(hours=3))
    module.prune()
    assert Recording.objects.count() == 0


@pytest.mark.django_db
def test_what_waits_is_bounded(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "WAITING", 4)
    start_recording()
    calls(Client(), number=6)
    recorder.flush()
    assert Recording.objects.count() == 4
    assert caplog.messages == ["2 packets were not logged: too many were waiting"]


@pytest.mark.django_db
def test_it_ends_by_itself(recorder: Recorder, exposed: Any) -> None:
    change(exposed, RECORDING_MINUTES=0)
    start_recording()
    calls(Client())
    assert not policy.is_recording
    assert recording_until() is None
    recorder.flush()
    assert Recording.objects.count() == 0


@pytest.mark.django_db
def test_another_process_follows_within_a_period(recorder: Recorder) -> None:
    now = [100.0]
    elsewhere = Policy(clock=lambda: now[0])
    elsewhere.current()
    start_recording()
    assert not elsewhere.is_recording
    now[0] += 1
    elsewhere.current()
    assert elsewhere.is_recording
    stop_recording()
    now[0] += 1
    elsewhere.current()
    assert not elsewhere.is_recording


@pytest.mark.django_db
def test_the_setting_forbids_it(recorder: Recorder, exposed: Any) -> None:
    change(exposed, RECORDED_PACKETS=0)
    client = staff("view_recording", "add_recording")
    page = Page(client.get(LIST))
    assert "Recording is not allowed here" in page.text
    assert "start" not in page.attributes("button", "value")
    client.post(LIST, {"action": "start"})
    start_recording()
    calls(Client())
    recorder.flush()
    assert Recording.objects.count() == 0


@pytest.mark.django_db
def test_a_switch_a_list_and_both_directions(recorder: Recorder) -> None:
    client = staff("view_recording", "add_recording", "delete_recording")
    page = Page(client.get(LIST))
    assert "Not recording." in page.text
    assert page.attributes("button", "value") == ["start"]
    assert client.post(LIST, {"action": "start"}).status_code == 302
    calls(Client())
    recorder.flush()
    page = Page(client.get(LIST))
    assert "Recording until" in " ".join(page.text.split())
    assert page.attributes("button", "value") == ["start", "stop", "delete"]
    (found,) = Recording.objects.all()
    assert f"{LIST}{found.pk}/" in page.attributes("a", "href")
    assert f"{len(CALL)} bytes there" in page.text
    page = Page(client.get(f"{LIST}{found.pk}/"))
    assert "'math.add'" in page.inside["scalar"]
    assert "00 08 6d 61 74 68 2e 61 64 64" in page.inside["hex"]
    page = Page(client.get(f"{LIST}{found.pk}/?side=response"))
    assert "'/1/onResult'" in page.inside["scalar"]
    assert client.post(LIST, {"action": "stop"}).status_code == 302
    assert recording_until() is None
    client.post(LIST, {"action": "delete"})
    assert Recording.objects.count() == 0
    assert client.post(LIST, {"action": "dance"}).status_code == 400


@pytest.mark.django_db
def test_it_takes_permissions(recorder: Recorder) -> None:
    Recording.objects.create(
        recorded_at=timezone.now(), form="packet", request_size=0, response_size=0
    )
    assert Client().get(LIST).status_code == 302
    client = staff()
    assert client.get(LIST).status_code == 403
    assert client.get(f"{LIST}1/").status_code == 403
    assert LIST not in Page(client.get("/services/")).attributes("a", "href")
    User.objects.get().user_permissions.set(Permission.objects.filter(codename="view_recording"))
    assert LIST in Page(client.get("/services/")).attributes("a", "href")
    page = Page(client.get(LIST))
    assert page.attributes("button", "value") == []
    for action in ("start", "stop", "delete"):
        assert client.post(LIST, {"action": action}).status_code == 403
    assert Recording.objects.count() == 1
    assert not PolicyVersion.objects.filter(recording_until__isnull=False).exists()


@pytest.mark.django_db
def test_the_switch_needs_the_csrf_token(recorder: Recorder) -> None:
    staff("view_recording", "add_recording")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    assert strict.post(LIST, {"action": "start"}).status_code == 403
    assert recording_until() is None
    token = strict.get(LIST).context["csrf_token"]
    strict.post(LIST, {"action": "start", "csrfmiddlewaretoken": str(token)})
    assert recording_until() is not None


@pytest.mark.django_db
def test_hostile_and_cut_recordings(with_policy: Any) -> None:
    client = staff("view_recording")
    data = Packet(0, [], [Message(HOSTILE, HOSTILE, [HOSTILE])]).serialize()
    found = Recording.objects.create(
        recorded_at=timezone.now(),
        form="packet",
        title=HOSTILE,
        outcome=HOSTILE,
        request=data[:40],
        request_size=5000,
        response=b"",
        response_size=0,
    )
    for path in (LIST, f"{LIST}{found.pk}/"):
        page = Page(client.get(path))
        assert [tag for tag, _ in page.elements].count("script") == 1, "the page's own"
    assert "Only the first 40 of 5000 bytes were kept." in page.text
    assert "No bytes." in Page(client.get(f"{LIST}{found.pk}/?side=response")).text
    assert client.get(f"{LIST}{found.pk + 1}/").status_code == 404
    Recording.objects.update(form="gone")
    assert "No bytes." in Page(client.get(f"{LIST}{found.pk}/")).text


@pytest.mark.django_db
def test_a_recorded_conversation(with_policy: Any) -> None:
    capture = Path(__file__).parents[1] / "captures" / "rtmp" / "librtmp_call.bin"
    found = Recording.objects.create(
        recorded_at=timezone.now(),
        form="rtmp",
        title="app: connect, foo",
        request=capture.read_bytes(),
        request_size=3396,
        response_size=0,
    )
    client = staff("view_recording")
    assert "app: connect, foo" in Page(client.get(LIST)).text
    page = Page(client.get(f"{LIST}{found.pk}/"))
    assert "message 1 Command AMF0 connect;" in " ".join(page.text.split())
    assert page.attributes("input", "value").count("rtmp") == 1, "what the inspector is told"
    page = Page(client.get(f"{LIST}{found.pk}/?first=2"))
    assert "message 1 " not in " ".join(page.text.split())
    assert "?side=request" in page.attributes("a", "href"), "to the beginning"


def test_a_site_without_the_tables_is_never_asked(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert recorder.is_possible
    monkeypatch.setattr(module.apps, "is_installed", lambda name: name != "amf_remoting")
    assert (recorder.is_possible, recorder.is_known, recorder.is_on) == (False, True, False)
