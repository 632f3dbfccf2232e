"""The packet inspector: what it takes, what it shows of whole and of broken packets."""

import base64
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from amf_remoting import amf
from amf_remoting.browser.formats import MAX_BYTES
from amf_remoting.browser.inspection import MAX_ROWS, inspect
from amf_remoting.browser.pasted import NoBytes, bytes_of
from amf_remoting.dump import hex_lines
from amf_remoting.packet import Message, Packet

from .test_browser import HOSTILE, Page, call, user

CAPTURE = Path(__file__).parents[1] / "captures" / "amf" / "royale_call.bin"
PACKET = Packet(0, [], [Message("math.add", "/1", [1, 2])]).serialize()

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("exposed")]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(user("ada", is_staff=True))
    return client


def shown(client: Client, **form: Any) -> tuple[Page, str]:
    response = client.post("/services/inspector/", {"form": "packet", **form})
    assert response.status_code == 200
    return Page(response), response.content.decode()


def rows(page: Page) -> list[tuple[str, str]]:
    """Offset and hexadecimal of each."""
    offsets, bytes_ = page.inside["offset"], page.inside["hex"]
    return list(zip(offsets.split(), bytes_.split("\n"), strict=False))


@pytest.mark.parametrize("path", ["/services/inspector/"])
def test_only_staff_comes_in(path: str) -> None:
    client = Client()
    client.force_login(user("eve"))
    assert client.get(path).status_code == 302
    assert client.post(path, {"form": "packet", "bytes": "00"}).status_code == 302


def test_it_needs_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user("ada", is_staff=True))
    response = client.post("/services/inspector/", {"form": "packet", "bytes": "00"})
    assert response.status_code == 403


@pytest.mark.parametrize(
    "text",
    [
        PACKET.hex(),
        PACKET.hex(" ").upper(),
        ", ".join(f"0x{byte:02x}" for byte in PACKET),
        "".join(f"\\x{byte:02x}" for byte in PACKET),
        base64.b64encode(PACKET).decode(),
        base64.encodebytes(PACKET).decode(),
        "\r\n".join(hex_lines(PACKET)),
        "00000000: " + PACKET[:16].hex(" ", 2) + "  ......math.add\n"
        "00000010: " + PACKET[16:32].hex(" ", 2) + "  ...\n"
        "00000020: " + PACKET[32:].hex(" ", 2) + "  @",
    ],
    ids=["hex", "spaces", "C array", "escapes", "Base64", "lines of Base64", "hexdump", "xxd"],
)
def test_pasted_bytes(text: str) -> None:
    assert bytes_of(text) == PACKET


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Paste the bytes"),
        ("no bytes!", "neither hexadecimal nor Base64"),
        ("00" * (MAX_BYTES + 1), f"{MAX_BYTES} bytes at most"),
        (" " * (4 * MAX_BYTES + 1), f"{MAX_BYTES} bytes at most"),
    ],
    ids=["nothing", "text", "too many", "far too many"],
)
def test_what_is_no_bytes(staff: Client, text: str, message: str) -> None:
    with pytest.raises(NoBytes, match=message):
        bytes_of(text)
    page, _ = shown(staff, bytes=text)
    assert message in page.inside["problem"]


def test_a_packet_is_explained(staff: Client) -> None:
    page, text = shown(staff, bytes=PACKET.hex())
    assert '<h2 id="result-title">47 bytes</h2>' in text
    assert page.inside["offset"].startswith("0000")
    assert "00 08 6d 61 74 68 2e 61 64 64" in page.inside["hex"]
    assert "'math.add'" in page.inside["scalar"]
    assert "problem" not in page.inside


def test_a_file_is_explained(staff: Client) -> None:
    upload = SimpleUploadedFile("call.bin", CAPTURE.read_bytes())
    page, _ = shown(staff, file=upload)
    assert "sealed: body, clientId, destination" in page.text
    assert "string 11 again" in page.text
    assert page.inside["textarea"].strip() == CAPTURE.read_bytes().hex(" ")


def test_large_files_are_refused(staff: Client) -> None:
    page, _ = shown(staff, file=SimpleUploadedFile("x.bin", bytes(MAX_BYTES + 1)))
    assert "bytes at most, the file has" in page.inside["problem"]


def test_broken_packets_as_far_as_they_go(staff: Client) -> None:
    page, _ = shown(staff, bytes=PACKET[:-3].hex())
    assert "Understood up to byte 38: 8 bytes expected, 5 left (at byte 39)" in page.text
    assert "Not understood" in page.text
    assert "00 40 00 00 00 00" in page.inside["hex"]


def test_bytes_behind_the_packet(staff: Client) -> None:
    page, _ = shown(staff, bytes=PACKET.hex() + "beef")
    assert "2 bytes behind the end" in page.inside["problem"]


@pytest.mark.parametrize(("form", "version"), [("amf3", 3), ("amf0", 0)])
def test_values_without_a_packet(staff: Client, form: str, version: int) -> None:
    page, _ = shown(staff, form=form, bytes=amf.dumps({"a": "b"}, version).hex())
    assert "'b'" in page.inside["scalar"]
    assert "value 1" in page.text


def test_there_are_no_other_forms(staff: Client) -> None:
    page, _ = shown(staff, form="smoke", bytes="00")
    assert "Choose what the bytes are" in page.inside["problem"]


def test_hostile_text_stays_text(staff: Client) -> None:
    packet = Packet(0, [], [Message(HOSTILE, HOSTILE, [{HOSTILE: HOSTILE}])])
    page, text = shown(staff, bytes=packet.serialize().hex())
    assert "<script>alert(" in page.inside["scalar"]
    assert text.count("<script") == 1, "the page's own"


def test_tables_have_a_limit() -> None:
    found = inspect(amf.dumps([0] * (MAX_ROWS + 5)), "amf3")
    assert (len(found.rows), found.is_cut, found.error) == (MAX_ROWS, True, "")


def test_a_large_packet_is_paged(staff: Client) -> None:
    packet = Packet(0, [], [Message("math.add", "/1", [0.0] * 7100)]).serialize()
    values, first = [], "0"
    while first:
        _, text = shown(staff, bytes=packet.hex(), first=first)
        values += re.findall(r'class="offset">([0-9a-f]+)<', text)
        first = str(max(pages(text))) if "More: the page is full" in text else ""
    assert len(values) == len(set(values)) == 7 + 7100, "every row once"
    assert int(values[-1], 16) == len(packet) - 9


def test_long_values_are_cut() -> None:
    row = inspect(amf.dumps("x" * 5000), "amf3").rows[0]
    assert (len(row.bytes), row.hidden, len(row.value) < 300) == (48 * 3 - 1, 5003 - 48, True)


def test_rows_cover_the_packet() -> None:
    data = CAPTURE.read_bytes()
    found = inspect(data, "packet")
    starts = [int(row.offset, 16) for row in found.rows]
    sizes = [len(bytes.fromhex(row.bytes)) + row.hidden for row in found.rows]
    assert [start + size for start, size in zip(starts, sizes, strict=True)] == [
        *starts[1:],
        len(data),
    ]


def test_a_call_shows_the_bytes_of_both_directions(staff: Client) -> None:
    page = call(staff, "math.add", "[1, 2]", "amf0")
    assert page.text.count("Response URI") == 2
    assert "'/1/onResult'" in page.inside["scalar"]
    hidden = [attrs["value"] for _, attrs in page.elements if attrs.get("name") == "bytes"]
    assert hidden[0] == PACKET.hex()


def test_a_kind_is_not_said_twice() -> None:
    values = [None, True, amf.Undefined, datetime(2000, 1, 2, tzinfo=UTC), b"ab", amf.XML("<a/>")]
    found = inspect(amf.dumps(values), "amf3")
    assert [(row.kind, row.value) for row in found.rows[2:]] == [
        ("Null", ""),
        ("True", ""),
        ("Undefined", ""),
        ("Date", "2000-01-02T00:00:00+00:00"),
        ("Byte Array", "2 bytes"),
        ("XML", "'<a/>'"),
    ]


CONVERSATIONS = CAPTURE.parents[1] / "rtmp"


def summaries(text: str) -> list[str]:
    """The titles of the groups."""
    found = re.findall(r"<summary[^>]*>(.*?)</summary>", text, re.S)
    return [" ".join(re.sub(r"<[^>]*>", " ", one).split()) for one in found]


def pages(text: str) -> list[int]:
    """Where the buttons lead."""
    return [int(number) for number in re.findall(r'name="first" value="(\d+)"', text)]


def test_a_recorded_rtmp_conversation(staff: Client) -> None:
    data = (CONVERSATIONS / "rtmp_client_shared_object_b.bin").read_bytes()
    page, text = shown(staff, form="rtmp", file=SimpleUploadedFile("x.bin", data))
    titles = summaries(text)
    assert len(titles) == 10
    assert titles[0] == "0000 handshake"
    assert titles[1] == (
        "0c01 message 1 Command AMF0 connect; chunk stream 3, message stream 0; at 3 ms; "
        "246 bytes in 2 chunks"
    )
    assert titles[8].startswith("0dfd message 8 Shared Object AMF0 foo, RequestChange; ")
    assert "'rtmp://127.0.0.1:1950/app/inst'" in page.inside["scalar"]
    assert "format 3, chunk stream 3" in page.text
    assert "problem" not in page.inside
    assert page.inside["textarea"].strip() == data.hex(" ")


def test_a_conversation_that_breaks(staff: Client) -> None:
    data = (CONVERSATIONS / "librtmp_call.bin").read_bytes() + b"\xff\x01\x02"
    page, text = shown(staff, form="rtmp", bytes=data.hex())
    assert summaries(text)[-1].endswith("end")
    assert "chunk stream 63: format 3 before any header" in page.inside["problem"]


def test_long_conversations_are_cut_and_paged(staff: Client) -> None:
    beginning = (CONVERSATIONS / "ffmpeg_publish.bin").read_bytes()[:3073]
    ping = bytes.fromhex("0200000000000604000000000006") + b"\0\0\0\1"
    data = beginning + ping * 20_000
    form = {"form": "rtmp", "file": SimpleUploadedFile("x.bin", data)}
    text = staff.post("/services/inspector/", form).text
    assert f'<h2 id="result-title">{len(data)} bytes</h2>' in text
    assert f"Only the first {MAX_BYTES} bytes of the file are explained." in text
    first, again = pages(text)
    assert first == again == len(summaries(text)), "above and below"
    assert first == -(-(MAX_ROWS - 9) // 7) + 1, "the handshake's rows, and 7 for each ping"
    form = {"form": "rtmp", "bytes": data[:MAX_BYTES].hex(), "first": str(first)}
    text = staff.post("/services/inspector/", form).text
    assert f"message {first} User Control Ping Request" in summaries(text)[0]
    assert pages(text) == [0, 2 * first, 0, 2 * first]


def test_a_page_beyond_the_end_is_empty(staff: Client) -> None:
    _, text = shown(staff, form="rtmp", bytes="03", first="99")
    assert summaries(text) == []
    _, text = shown(staff, form="rtmp", bytes="03", first="x" * 50)
    assert summaries(text) == ["0000 handshake"]


def test_one_message_of_many_chunks_is_cut() -> None:
    opening = (CONVERSATIONS / "ffmpeg_publish.bin").read_bytes()[:3073]
    size = 128 * (MAX_ROWS + 100)
    chunks = b"\x04\0\0\0" + size.to_bytes(3, "big") + b"\x08\0\0\0\0"
    found = inspect(opening + chunks + (bytes(128) + b"\xc4") * (MAX_ROWS + 99), "rtmp")
    (_, audio) = found.groups
    assert (len(audio.rows), found.is_cut) == (MAX_ROWS, True)
    found = inspect(opening + chunks + (bytes(128) + b"\xc4") * (MAX_ROWS + 99), "rtmp", first=2)
    (audio,) = found.groups
    assert audio.title is not None
    assert (audio.title.name, audio.title.kind) == ("unfinished message, continued", "Audio")
    assert audio.title.offset == audio.rows[0].offset
    assert (len(audio.rows), found.is_cut) == (99 + 7, False)
