"""A writer that shows its changes at once never ends with a value that nobody else has."""

from rtmp_channels.protocol.shared_object import Change, Echo, Remove, Success
from rtmp_channels.shared_objects import corrections as corrections_module
from rtmp_channels.shared_objects.corrections import Corrections
from rtmp_channels.shared_objects.operations import ACCEPTED, Answer, RemoveSlot, SetSlot, Verdict
from tests.shared_objects.clients import DistantClient, make_hub, settle


async def make_pair(**options):
    hub = make_hub()
    pair = DistantClient(hub, "ann"), DistantClient(hub, "bob", **options)
    for client in pair:
        await client.use()
        exchange(client)
        await settle()
        exchange(client)
        client.events()
    return pair


def exchange(*clients):
    for client in clients:
        while client.outgoing:
            client.let_out()
    for client in clients:
        while client.incoming:
            client.let_in()


async def test_a_change_behind_a_lost_one_is_told_by_value():
    ann, bob = await make_pair()
    bob.set("a", 1)
    ann.set("a", 7)
    ann.let_out()
    bob.let_in()  # sees 7 while its 1 is under way
    bob.set("a", 8)  # shown, until the correction of 1 comes in
    exchange(bob, ann)
    assert bob.events() == [
        *(Change((("a", 7),)), Change((("a", 7),))),
        *(Success("a"), Change((("a", 8),))),
    ]
    assert ann.data == bob.data == {"a": 8}


async def test_the_next_change_is_plainly_acknowledged():
    ann, bob = await make_pair()
    ann.set("a", 7)
    ann.let_out()
    bob.set("a", 1)
    exchange(bob, ann)
    bob.set("a", 8)
    exchange(bob, ann)
    bob.events()
    bob.set("a", 9)
    exchange(bob, ann)
    assert bob.events() == [Success("a")]


async def test_echo_carries_the_value_anyway():
    ann, bob = await make_pair(flags=16)
    ann.set("a", 7)
    ann.let_out()
    bob.set("a", 1)
    bob.set("b", 1)
    bob.remove("b")
    bob.set("b", 2)
    exchange(bob, ann)
    assert bob.events()[-3:] == [Echo((("b", 1),)), Remove("b"), Echo((("b", 2),))]
    assert ann.data == bob.data == {"a": 7, "b": 2}


def test_only_what_may_be_under_way_counts():
    corrections = Corrections()
    lost = Answer(Verdict.LOST, b"x")
    assert corrections.answer(SetSlot("a", b"1"), lost, known=3, before=5) is lost
    assert corrections.answer(SetSlot("b", b"1"), ACCEPTED, known=5, before=6) is ACCEPTED
    assert corrections.answer(SetSlot("a", b"1"), ACCEPTED, known=6, before=7) is ACCEPTED
    told = corrections.answer(SetSlot("a", b"1"), ACCEPTED, known=5, before=7)
    assert told == Answer(Verdict.OVERRODE, b"1")


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(corrections_module, "LIMIT", 2)
    corrections = Corrections()
    for key in "abc":
        corrections.answer(RemoveSlot(key), ACCEPTED, known=1, before=1)
    answer = corrections.answer(SetSlot("z", b"1"), ACCEPTED, known=1, before=2)
    assert answer.verdict is Verdict.OVERRODE
    assert corrections.answer(SetSlot("y", b"1"), ACCEPTED, known=2, before=3) is ACCEPTED
