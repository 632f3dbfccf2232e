"""Between our types and what the scripts take and give (MessagePack in its old form, as Lua's)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import msgpack

from rtmp_channels.shared_objects.operations import (
    ACCEPTED,
    Answer,
    Batch,
    ClearSlots,
    Commit,
    EventKind,
    ObjectEvent,
    Operation,
    Outcome,
    RemoveSlot,
    Send,
    SetSlot,
    Verdict,
)
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers.base import Exchange, LogLost
from rtmp_channels.shared_objects.state import ObjectState, Slot

_SLOT = struct.Struct(">IB")  # version, length of the writer's id
_VERDICTS = {b"a": Verdict.ACCEPTED, b"o": Verdict.OVERRODE, b"l": Verdict.LOST}


def pack_open(
    seed: ObjectState, *, process: str, epoch: bytes, create: bool, lease: float
) -> bytes:
    """The argument of OPEN; `seed` is what a new object begins with. `lease` in seconds."""
    return _pack(
        {
            "process": process,
            "epoch": epoch,
            "create": create,
            "persistent": int(seed.persistent),
            "lease": int(lease * 1000),
            "seed": {
                "version": seed.version,
                "sequence": seed.sequence,
                "forgotten": seed.forgotten,
                "first": seed.first_version,
                "bytes": seed.size,
                "slots": [(_key(key), _pack_slot(slot)) for key, slot in seed.slots()],
                "tombs": [(_key(key), t.version, t.writer) for key, t in seed.tombstones()],
            },
        }
    )


def unpack_open(answer: bytes, rules: SharedObjectRules) -> tuple[bytes, ObjectState] | None:
    """The object's epoch and state; None if it does not exist."""
    opened = _unpack(answer)
    if b"absent" in opened:
        return None
    epoch, version, sequence, forgotten, first, persistent = opened[b"meta"]
    undertakers = dict(_pairs(opened[b"undertakers"]))
    state = ObjectState(
        rules, persistent=persistent == b"1", version=int(version), sequence=int(sequence)
    )
    state.restore(
        {_text(key): _unpack_slot(raw) for key, raw in _pairs(opened[b"slots"])},
        {
            _text(key): Slot(None, int(at), _text(undertakers[key]))
            for key, at in _pairs(opened[b"tombs"])
        },
        first_version=int(first),
        forgotten=int(forgotten),
    )
    return epoch, state


def pack_exchange(
    epoch: bytes, since: int, batches: Sequence[Batch], rules: SharedObjectRules, *, lease: float
) -> bytes:
    """The argument of EXCHANGE."""
    limits = {
        "key_bytes": rules.key_bytes,
        "value_bytes": rules.value_bytes,
        "slots": rules.slots,
        "object_bytes": rules.object_bytes,
        "send_bytes": rules.send_bytes,
        "tombstones": rules.tombstones,
        "log_length": rules.log_length,
        "reject": rules.reject_lost_changes,
        "lease": int(lease * 1000),
    }
    packed = [
        {
            "writer": batch.writer,
            "known": -1 if batch.known_version is None else batch.known_version,
            "only_at": -1 if batch.if_version is None else batch.if_version,
            "operations": [_pack_operation(operation) for operation in batch.operations],
        }
        for batch in batches
    ]
    return _pack({"epoch": epoch, "since": since, "limits": limits, "batches": packed})


def unpack_exchange(answer: bytes, batches: Sequence[Batch]) -> Exchange:
    """What EXCHANGE gave; raises LogLost."""
    exchange = _unpack(answer)
    if b"lost" in exchange:
        raise LogLost
    missed = [_unpack_entry(*entry) for entry in exchange[b"missed"] or ()]
    outcomes = [
        _unpack_outcome(batch, *outcome)
        for batch, outcome in zip(batches, exchange[b"outcomes"] or (), strict=True)
    ]
    return Exchange(missed, outcomes)


def pack_news(epoch: bytes, commits: Sequence[Commit]) -> bytes:
    """Commits of one incarnation of an object, for other processes."""
    packed = [
        (
            commit.sequence,
            commit.version,
            commit.writer,
            [(int(event.kind), _key(event.key), event.data) for event in commit.events],
        )
        for commit in commits
    ]
    return _pack((epoch, packed))


def unpack_news(epoch: bytes, news: bytes) -> list[Commit]:
    """What `pack_news` made, joined; without what was of another incarnation."""
    unpacker = msgpack.Unpacker(raw=True)
    unpacker.feed(news)
    return [
        Commit(sequence, version, _text(writer), _unpack_events(events))
        for theirs, packed in unpacker
        if theirs == epoch
        for sequence, version, writer, events in packed
    ]


def _pack_operation(operation: Operation) -> tuple[Any, ...]:
    match operation:
        case SetSlot(key, value):
            return "s", _key(key), False if value is None else value
        case RemoveSlot(key):
            return "x", _key(key)
        case ClearSlots():
            return ("c",)
        case Send(data):
            return "m", data


def _unpack_outcome(
    batch: Batch, answers: Any, version: int, sequence: int, events: Any
) -> Outcome:
    commit = None
    if events:
        commit = Commit(int(sequence), int(version), batch.writer, _unpack_events(events))
    return Outcome(tuple(_unpack_answer(*one) for one in answers or ()), int(version), commit)


def _unpack_answer(verdict: bytes, value: Any = None, reason: bytes = b"") -> Answer:
    if verdict == b"a":
        return ACCEPTED
    kept = value if isinstance(value, bytes) else None
    return Answer(_VERDICTS.get(verdict, Verdict.REFUSED), kept, reason.decode())


def _unpack_entry(entry_id: bytes, fields: Sequence[bytes]) -> Commit:
    values = dict(_pairs(fields))
    sequence = int(entry_id.partition(b"-")[0])
    events = _unpack_events(_unpack(values[b"e"]))
    return Commit(sequence, int(values[b"v"]), _text(values[b"w"]), events)


def _unpack_events(events: Any) -> tuple[ObjectEvent, ...]:
    return tuple(ObjectEvent(EventKind(kind), _text(key), data) for kind, key, data in events)


def _pack_slot(slot: Slot) -> bytes:
    writer = slot.writer.encode()
    return _SLOT.pack(slot.version, len(writer)) + writer + (slot.value or b"")


def _unpack_slot(raw: bytes) -> Slot:
    version, length = _SLOT.unpack_from(raw)
    end = _SLOT.size + length
    return Slot(raw[end:], version, raw[_SLOT.size : end].decode())


def _pairs(flat: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(flat[::2], flat[1::2], strict=True) if flat else iter(())


def _key(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _pack(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=False)
    return packed


def _unpack(data: bytes) -> Any:
    return msgpack.unpackb(data, raw=True, strict_map_key=False)
