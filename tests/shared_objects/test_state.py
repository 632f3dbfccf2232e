import pytest

from rtmp_channels.shared_objects.operations import (
    ACCEPTED,
    Answer,
    Batch,
    ClearSlots,
    Commit,
    EventKind,
    ObjectEvent,
    RemoveSlot,
    Send,
    SetSlot,
    Verdict,
)
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.state import ObjectState, SequenceGap


def make_state(**rules):
    return ObjectState(SharedObjectRules(**rules))


def commit(state, *operations, writer="ann", known=None):
    return state.commit(Batch(writer, operations, known))


def slots(state):
    return dict(state.values())


def test_a_batch_raises_the_version_once_and_the_sequence_per_event():
    state = make_state()
    outcome = commit(state, SetSlot("a", b"1"), SetSlot("b", b"2"), RemoveSlot("a"))
    assert outcome.answers == (ACCEPTED, ACCEPTED, ACCEPTED)
    assert outcome.version == state.version == 1
    assert outcome.commit == Commit(
        sequence=3,
        version=1,
        writer="ann",
        events=(
            ObjectEvent(EventKind.CHANGE, "a", b"1"),
            ObjectEvent(EventKind.CHANGE, "b", b"2"),
            ObjectEvent(EventKind.REMOVE, "a"),
        ),
    )
    assert outcome.commit.previous_sequence == 0
    assert slots(state) == {"b": b"2"}


def test_an_unchanged_value_is_accepted_and_changes_nothing():
    state = make_state()
    commit(state, SetSlot("a", b"1"))
    outcome = commit(state, SetSlot("a", b"1"), writer="bob", known=0)
    assert outcome.answers == (ACCEPTED,)
    assert outcome.commit is None
    assert state.version == state.sequence == 1


@pytest.mark.parametrize("operation", [SetSlot("a", None), RemoveSlot("a")])
def test_a_slot_that_is_not_there_is_removed_without_an_event(operation):
    state = make_state()
    assert commit(state, operation).answers == (ACCEPTED,)
    assert state.version == 0


def test_a_locked_batch_is_done_at_its_version_only():
    state = make_state()
    outcome = state.commit(Batch("server", (SetSlot("a", b"1"), Send(b"x")), if_version=0))
    assert outcome.answers == (ACCEPTED, ACCEPTED)
    outcome = state.commit(Batch("server", (SetSlot("a", b"2"), Send(b"x")), if_version=0))
    assert outcome.answers == (Answer(Verdict.LOST), Answer(Verdict.LOST))
    assert outcome.commit is None
    assert slots(state) == {"a": b"1"}


def test_null_removes():
    state = make_state()
    commit(state, SetSlot("a", b"1"))
    outcome = commit(state, SetSlot("a", None))
    assert outcome.commit is not None
    assert outcome.commit.events == (ObjectEvent(EventKind.REMOVE, "a"),)
    assert len(state) == 0


def test_clear_raises_the_version_even_of_an_empty_object():
    state = make_state()
    outcome = commit(state, ClearSlots())
    assert outcome.version == 1
    assert outcome.commit is not None
    assert outcome.commit.events == (ObjectEvent(EventKind.CLEAR),)


def test_send_raises_the_sequence_but_not_the_version():
    state = make_state()
    commit(state, SetSlot("a", b"1"))
    outcome = commit(state, Send(b"hello"))
    assert outcome.version == state.version == 1
    assert state.sequence == 2


def test_a_send_beside_a_change_shares_its_version():
    outcome = commit(make_state(), Send(b"x"), SetSlot("a", b"1"))
    assert outcome.commit is not None
    assert (outcome.commit.version, outcome.commit.sequence) == (1, 2)


class TestLostChanges:
    """A writer that has not seen another's change loses to it."""

    @pytest.fixture
    def state(self):
        state = make_state()
        commit(state, SetSlot("a", b"1"), writer="ann", known=0)
        return state

    @pytest.mark.parametrize("value", [b"2", None])
    def test_stale_writer_gets_the_winning_value(self, state, value):
        outcome = commit(state, SetSlot("a", value), writer="bob", known=0)
        assert outcome.answers == (Answer(Verdict.LOST, b"1"),)
        assert outcome.commit is None
        assert slots(state) == {"a": b"1"}

    def test_who_has_seen_it_may_change_it(self, state):
        commit(state, SetSlot("a", b"2"), writer="bob", known=1)
        assert slots(state) == {"a": b"2"}

    def test_the_last_writer_itself_never_loses(self, state):
        commit(state, SetSlot("a", b"2"), writer="ann", known=0)
        assert slots(state) == {"a": b"2"}

    def test_other_slots_are_free(self, state):
        commit(state, SetSlot("b", b"2"), writer="bob", known=0)
        assert slots(state) == {"a": b"1", "b": b"2"}

    def test_a_removal_wins_too(self, state):
        commit(state, RemoveSlot("a"), writer="ann", known=1)
        outcome = commit(state, SetSlot("a", b"2"), writer="bob", known=1)
        assert outcome.answers == (Answer(Verdict.LOST, None),)

    def test_removals_are_not_lost(self, state):
        assert commit(state, RemoveSlot("a"), writer="bob", known=0).answers == (ACCEPTED,)
        assert slots(state) == {}

    def test_server_code_is_never_late(self, state):
        commit(state, SetSlot("a", b"2"), writer="server", known=None)
        assert slots(state) == {"a": b"2"}

    def test_switched_off_the_last_one_wins_and_is_told_so(self):
        state = make_state(reject_lost_changes=False)
        commit(state, SetSlot("a", b"1"), writer="ann", known=0)
        outcome = commit(state, SetSlot("a", b"2"), writer="bob", known=0)
        assert outcome.answers == (Answer(Verdict.OVERRODE, b"2"),)
        assert slots(state) == {"a": b"2"}

    def test_within_a_batch_some_are_lost_and_some_are_not(self, state):
        outcome = commit(state, SetSlot("a", b"9"), SetSlot("b", b"2"), writer="bob", known=0)
        assert outcome.answers == (Answer(Verdict.LOST, b"1"), ACCEPTED)
        assert outcome.version == 2


class TestOverrides:
    """A writer that will yet hear of a removal is told its value again."""

    @pytest.mark.parametrize("removal", [RemoveSlot("a"), ClearSlots()])
    def test_set_after_its_own_removal(self, removal):
        state = make_state()
        commit(state, SetSlot("a", b"1"), known=0)
        commit(state, removal, known=0)
        outcome = commit(state, SetSlot("a", b"2"), known=0)
        assert outcome.answers == (Answer(Verdict.OVERRODE, b"2"),)
        assert outcome.version == 3

    def test_set_after_a_clear_of_another(self):
        state = make_state()
        commit(state, ClearSlots(), writer="bob", known=0)
        assert commit(state, SetSlot("a", b"1"), known=0).answers[0].verdict is Verdict.OVERRODE

    def test_set_after_a_clear_in_the_same_batch(self):
        answers = commit(make_state(), ClearSlots(), SetSlot("a", b"1"), known=0).answers
        assert answers == (ACCEPTED, Answer(Verdict.OVERRODE, b"1"))

    def test_set_after_a_removal_that_was_seen(self):
        state = make_state()
        commit(state, ClearSlots(), known=0)
        assert commit(state, SetSlot("a", b"2"), known=1).answers == (ACCEPTED,)

    def test_set_twice_is_plainly_accepted(self):
        state = make_state()
        commit(state, SetSlot("a", b"1"), known=0)
        assert commit(state, SetSlot("a", b"2"), known=0).answers == (ACCEPTED,)


@pytest.mark.parametrize(
    ("rules", "operation", "reason"),
    [
        ({"key_bytes": 3}, SetSlot("üü", b"1"), "a slot's name of 4 bytes (3 at most)"),
        ({"value_bytes": 2}, SetSlot("b", b"123"), "a value of 3 bytes (2 at most)"),
        ({"slots": 1}, SetSlot("b", b"1"), "the object has 1 slots, which is the most"),
        ({"object_bytes": 4}, SetSlot("b", b"12"), "the object would exceed 4 bytes"),
        ({"send_bytes": 2}, Send(b"123"), "a send of 3 bytes"),
    ],
)
def test_limits_refuse(rules, operation, reason):
    state = make_state(**rules)
    commit(state, SetSlot("a", b"1"))
    outcome = commit(state, operation)
    assert outcome.answers == (Answer(Verdict.REFUSED, None, reason),)
    assert outcome.commit is None


def test_a_refused_change_tells_the_value_that_stays():
    state = make_state(value_bytes=2)
    commit(state, SetSlot("a", b"1"))
    assert commit(state, SetSlot("a", b"123")).answers[0].value == b"1"


def test_limits_count_what_is_there_now():
    state = make_state(object_bytes=6, slots=2)
    for _ in range(3):
        commit(state, SetSlot("a", b"12"), SetSlot("b", b"12"))
        assert commit(state, SetSlot("a", b"34")).answers == (ACCEPTED,)
        commit(state, RemoveSlot("a"))
        assert commit(state, SetSlot("c", b"12")).answers == (ACCEPTED,)
        commit(state, ClearSlots())


def test_defaults_of_every_limit():
    rules = SharedObjectRules()
    assert (rules.objects_per_connection, rules.name_bytes, rules.key_bytes) == (64, 255, 255)
    assert (rules.slots, rules.value_bytes, rules.object_bytes) == (1024, 65_536, 1_048_576)
    assert (rules.send_bytes, rules.operations_per_message) == (65_536, 256)
    assert rules.operations_per_second == 5_000
    assert (rules.waiting_messages, rules.waiting_bytes) == (256, 1_048_576)
    assert (rules.tombstones, rules.log_length, rules.reject_lost_changes) == (1024, 1024, True)


class TestChangesSince:
    @pytest.fixture
    def state(self):
        state = make_state(tombstones=2)
        for key in "abcd":
            commit(state, SetSlot(key, key.encode()))  # versions 1 to 4
        commit(state, RemoveSlot("b"))  # 5
        return state

    @pytest.mark.parametrize(
        ("version", "changes"),
        [
            (5, []),
            (4, [("b", None)]),
            (2, [("c", b"c"), ("d", b"d"), ("b", None)]),
            (0, [("a", b"a"), ("c", b"c"), ("d", b"d"), ("b", None)]),
            (6, None),
        ],
    )
    def test_tells_what_changed_and_what_was_removed(self, state, version, changes):
        assert state.changes_since(version) == changes

    def test_a_slot_made_again_is_a_change(self, state):
        commit(state, SetSlot("b", b"B"))
        assert state.changes_since(4) == [("b", b"B")]

    def test_forgotten_tombstones_end_what_is_known(self, state):
        commit(state, RemoveSlot("a"))  # 6
        commit(state, RemoveSlot("c"))  # 7; the tombstone of 5 is forgotten
        assert state.changes_since(4) is None
        assert state.changes_since(5) == [("a", None), ("c", None)]

    def test_a_clear_ends_what_is_known(self, state):
        commit(state, ClearSlots())
        assert state.changes_since(5) is None
        assert state.changes_since(6) == []


class TestReplica:
    def test_follows_in_order(self):
        authority, replica = make_state(), make_state()
        for operations in ([SetSlot("a", b"1"), Send(b"x")], [RemoveSlot("a")], [ClearSlots()]):
            outcome = commit(authority, *operations)
            assert replica.apply(outcome.commit) is True
        assert (replica.version, replica.sequence) == (3, 4)
        assert replica.changes_since(3) == []

    def test_knows_what_it_has_seen(self):
        authority, replica = make_state(), make_state()
        first = commit(authority, SetSlot("a", b"1")).commit
        assert replica.apply(first) is True
        assert replica.apply(first) is False
        assert authority.apply(first) is False

    def test_notices_a_gap_and_stays_as_it_was(self):
        authority, replica = make_state(), make_state()
        commit(authority, Send(b"lost"))
        with pytest.raises(SequenceGap, match="1 does not follow 0"):
            replica.apply(commit(authority, SetSlot("a", b"1")).commit)
        assert (replica.version, replica.sequence, len(replica)) == (0, 0, 0)
