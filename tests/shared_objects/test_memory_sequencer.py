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
    sequencer.commit(KEY, Batch("ann", (SetSlot("a", b"1"),)))
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


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"create": False}, "SharedObject.ObjectCreationFailed"),
        ({"persistent": True}, "SharedObject.BadPersistence"),
    ],
)
def test_refusals(arguments, code):
    with pytest.raises(SharedObjectRefused) as caught:
        open_(make(), **arguments)
    assert caught.value.code == code


def test_an_existing_object_cannot_become_persistent():
    sequencer = make()
    open_(sequencer)
    with pytest.raises(SharedObjectRefused, match="BadPersistence"):
        open_(sequencer, persistent=True)


def test_log():
    sequencer = make(log_length=2)
    open_(sequencer)
    commits = [
        sequencer.commit(KEY, Batch("ann", operations)).commit
        for operations in ((SetSlot("a", b"1"),), (Send(b"x"), Send(b"y")), (Send(b"z"),))
    ]
    assert sequencer.commits_since(KEY, 4) == []
    assert sequencer.commits_since(KEY, 3) == commits[2:]
    assert sequencer.commits_since(KEY, 1) == commits[1:]
    assert sequencer.commits_since(KEY, 0) is None


def test_log_of_a_new_object_is_empty():
    sequencer = make()
    open_(sequencer)
    assert sequencer.commits_since(KEY, 0) == []
