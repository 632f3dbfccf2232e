"""Handshakes: plain and with digests, both roles (RTMP 1.0 §5.2; digests by observation)."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from rtmp_channels.protocol import RemoteProtocolError, digest
from rtmp_channels.protocol.handshake import ClientHandshake, ServerHandshake

CAPTURES = Path(__file__).parents[1] / "captures" / "rtmp"
SIGNED = {
    *("ffmpeg_play", "ffmpeg_publish", "mpv_play", "vlc_play", "nginx_pull", "nginx_push"),
}


@pytest.fixture
def filling() -> Callable[[int], bytes]:
    return random.Random(42).randbytes


def captured_c1(name: str) -> bytes:
    return (CAPTURES / f"{name}.bin").read_bytes()[1:1537]


def shake_hands(client: ClientHandshake, server: ServerHandshake, size: int = 4000) -> None:
    """Moves bytes both ways, `size` at a time, until nobody has anything to say."""
    to_server, to_client = client.data_to_send(), b""
    while to_server or to_client:
        piece, to_server = to_server[:size], to_server[size:]
        assert server.receive_data(piece) == b""
        to_client += server.data_to_send()
        piece, to_client = to_client[:size], to_client[size:]
        assert client.receive_data(piece) == b""
        to_server += client.data_to_send()


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.bin")), ids=lambda path: path.stem)
def test_digests_are_found_in_exactly_the_captures_that_have_one(path):
    found = digest.find_digest(path.read_bytes()[1:1537], digest.CLIENT)
    assert (found is not None) == (path.stem in SIGNED)
    if found:
        assert found[0] == 1  # all of them use the sum of bytes 8 to 11


def test_plain_s1_has_zero_bytes_4_to_7_and_s2_echoes_c1_exactly(filling):
    c1 = captured_c1("obs_publish")
    server = ServerHandshake(filling)
    assert server.receive_data(b"\x03" + c1) == b""
    answer = server.data_to_send()
    assert len(answer) == 1 + 2 * 1536
    assert answer[0] == 3
    assert answer[5:9] == bytes(4)
    assert answer[1537:] == c1
    assert server.digest_scheme is None
    assert not server.is_complete


def test_s0_s1_s2_are_one_write_and_only_after_c1(filling):
    server = ServerHandshake(filling)
    c0_c1 = b"\x03" + captured_c1("obs_publish")
    for byte in c0_c1[:-1]:
        server.receive_data(bytes([byte]))
        assert server.data_to_send() == b""
    server.receive_data(c0_c1[-1:])
    assert len(server.data_to_send()) == 3073
    server.receive_data(bytes(1535))
    assert not server.is_complete
    assert server.receive_data(b"\0chunks") == b"chunks"
    assert server.is_complete
    assert server.data_to_send() == b""


@pytest.mark.parametrize("scheme", [0, 1])
def test_digest_is_answered_in_the_scheme_found(filling, scheme):
    client = ClientHandshake(filling, scheme=scheme)
    server = ServerHandshake(filling)
    c0_c1 = client.data_to_send()
    assert c0_c1[5:9] == bytes.fromhex("09007c02")
    server.receive_data(c0_c1)
    answer = server.data_to_send()
    s1, s2 = answer[1:1537], answer[1537:]
    assert server.digest_scheme == scheme
    assert s1[4] >= 3
    own = digest.find_digest(s1, digest.SERVER)
    assert own is not None
    assert own[0] == scheme
    found = digest.find_digest(c0_c1[1:], digest.CLIENT)
    assert found is not None
    assert digest.is_signed(s2, found[1], digest.SERVER)
    client.receive_data(answer)
    c2 = client.data_to_send()
    assert digest.is_signed(c2, own[1], digest.CLIENT)
    assert client.digest_scheme == scheme
    assert client.is_complete


@pytest.mark.parametrize(
    ("scheme", "at", "base"), [(0, 772, 776), (1, 8, 12)], ids=["772..775", "8..11"]
)
def test_digest_offset_is_the_sum_of_four_bytes_modulo_728(scheme, at, base):
    block = bytearray(random.Random(7).randbytes(1536))
    block[at : at + 4] = b"\xff\xff\xff\x01"  # 766 mod 728 = 38
    signed, value = digest.insert_digest(bytes(block), scheme, digest.CLIENT)
    assert signed[base + 38 : base + 70] == value
    assert signed[: base + 38] == block[: base + 38]
    assert signed[base + 70 :] == block[base + 70 :]


def test_digest_keys_have_62_and_68_bytes_with_their_tail():
    assert (len(digest.CLIENT.digest_key), len(digest.CLIENT.signature_key)) == (30, 62)
    assert (len(digest.SERVER.digest_key), len(digest.SERVER.signature_key)) == (36, 68)


def test_a_version_in_c1_without_a_valid_digest_falls_back_to_plain(filling):
    c1 = bytearray(captured_c1("ffmpeg_play"))
    c1[1000] ^= 1
    server = ServerHandshake(filling)
    server.receive_data(b"\x03" + bytes(c1))
    answer = server.data_to_send()
    assert server.digest_scheme is None
    assert answer[1537:] == c1


@pytest.mark.parametrize("size", [1, 100, 1536, 1537, 4000])
@pytest.mark.parametrize("offer_digest", [False, True], ids=["plain", "digest"])
def test_both_roles_complete_in_pieces_of_any_size(filling, offer_digest, size):
    client = ClientHandshake(filling, offer_digest=offer_digest)
    server = ServerHandshake(filling)
    shake_hands(client, server, size)
    assert client.is_complete
    assert server.is_complete
    assert client.digest_scheme == server.digest_scheme == (0 if offer_digest else None)


def test_client_takes_a_plain_server_although_it_offered_a_digest(filling):
    client = ClientHandshake(filling)
    client.data_to_send()
    s1 = bytes(8) + filling(1528)
    assert client.receive_data(b"\x03" + s1) == b""
    assert client.data_to_send() == s1
    assert client.receive_data(bytes(1536) + b"rest") == b"rest"
    assert client.digest_scheme is None


def test_client_refuses_a_signed_s1_whose_s2_is_not_an_answer(filling):
    client = ClientHandshake(filling)
    server = ServerHandshake(filling)
    server.receive_data(client.data_to_send())
    answer = bytearray(server.data_to_send())
    answer[-1] ^= 1
    with pytest.raises(RemoteProtocolError, match="S2 does not answer"):
        client.receive_data(bytes(answer))


@pytest.mark.parametrize(
    ("first", "why"),
    [(b"\x06", "RTMPE"), (b"\x08", "RTMPE"), (b"GET /", "is this RTMP"), (b"\x16", "is this RTMP")],
    ids=["RTMPE", "RTMPE signed", "HTTP", "TLS"],
)
def test_another_version_is_refused_at_its_first_byte(filling, first, why):
    with pytest.raises(RemoteProtocolError, match=why):
        ServerHandshake(filling).receive_data(first[:1])
