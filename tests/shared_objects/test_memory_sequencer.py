import pytest

from rtmp_channels.shared_objects.operations import Batch, ObjectKey, Send, SetSlot
from rtmp_channels.shared_objects.refusals import SharedObjectRefused
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers.memory import MemorySequencer

KEY = ObjectKey("lobby/room1", "scores")


def make(**rules):
    return MemorySequencer(SharedObjectRules(**rules), first_version=10)


def open_(sequencer, key=KEY, *, persistent=False, create=True):
    return sequencer.open(key, persistent=persistent, create=create)


def test_open_twice_is_the_same_object():
    sequencer = make()
    assert open_(sequencer) is open_(sequencer)


def test_objects_are_per_instance_and_name():
    sequencer = make()
    assert open_(sequencer) is not open_(sequencer, ObjectKey("lobby/room2", "scores"))
    assert open_(sequencer) is not open_(sequencer, ObjectKey("lobby/room1", "scores/a"))


def test_an_object_dies_with_its_last_user_and_its_versions_are_not_used_again():
    sequencer = make()
    open_(sequencer)
    sequencer.exchange(KEY, 0, [Batch("ann", (SetSlot("a", b"1"),))])
    sequencer.close(KEY)
    sequencer.close(KEY)
    state = open_(sequencer)
    assert len(state) == 0
    assert state.version == 12
    assert state.changes_since(11) is None


def test_first_versions_differ_between_starts():
    versions = {open_(MemorySequencer(SharedObjectRules())).version for _ in range(4)}
    assert len(versions) > 1
    assert all(0 < version <= 1 << 30 for version in versions)


def test_an_object_that_must_not_be_created():
    with pytest.raises(SharedObjectRefused, match="ObjectCreationFailed"):
        open_(make(), create=False)


def test_an_existing_object_cannot_become_persistent():
    sequencer = make()
    open_(sequencer)
    with pytest.raises(SharedObjectRefused, match="BadPersistence"):
        open_(sequencer, persistent=True)


def test_decides_in_order_and_nothing_is_ever_missed():
    sequencer = make()
    state = open_(sequencer)
    batches = [
        Batch("ann", operations)
        for operations in ((SetSlot("a", b"1"),), (Send(b"x"), Send(b"y")), (SetSlot("a", b"1"),))
    ]
    exchange = sequencer.exchange(KEY, 0, batches)
    assert exchange.missed == ()
    commits = [outcome.commit for outcome in exchange.outcomes]
    assert [commit and commit.sequence for commit in commits] == [1, 3, None]
    assert sequencer.heads([KEY]) == [3]
    assert sequencer.restore(KEY, state) is state
