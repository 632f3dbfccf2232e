"""A shared object as server code sees it: a mapping whose changes are one batch."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from rtmp_channels.shared_objects.encoding import decode_value, encode_send, encode_value
from rtmp_channels.shared_objects.operations import ClearSlots, Operation, Send, SetSlot
from rtmp_channels.shared_objects.state import ObjectState


class SharedObjectView(MutableMapping[str, Any]):
    """Slots by name; changes are kept here until the `async with` block ends, then made at once.

    Values are decoded when they are read: a list that was read and then changed must be set again.
    Setting None removes, as it does for clients.
    """

    def __init__(self, state: ObjectState) -> None:
        self._state = state
        self.version = state.version
        """The object's when the block began."""
        self._cleared = False
        self._changes: dict[str, bytes | None] = {}
        self._sends: list[Operation] = []

    def __getitem__(self, key: str) -> Any:
        data = self._get(key)
        if data is None:
            raise KeyError(key)
        return decode_value(data)

    def __setitem__(self, key: str, value: Any) -> None:
        """Raises amf.EncodeError for what AMF cannot hold."""
        self._changes.pop(key, None)
        self._changes[key] = encode_value(value)

    def __delitem__(self, key: str) -> None:
        if self._get(key) is None:
            raise KeyError(key)
        self[key] = None

    def __iter__(self) -> Iterator[str]:
        if not self._cleared:
            for key, _ in tuple(self._state.values()):
                if self._changes.get(key, b"") is not None:
                    yield key
        for key, data in tuple(self._changes.items()):
            if data is not None and (self._cleared or self._state.get(key) is None):
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._get(key) is not None

    def __repr__(self) -> str:
        return f"<SharedObjectView {dict(self)!r}>"

    def clear(self) -> None:
        """Removes all slots; clients get one "clear"."""
        self._cleared = True
        self._changes.clear()

    def send(self, method: str, *arguments: Any) -> None:
        """Calls a handler on everyone who uses the object, after the changes made here."""
        self._sends.append(Send(encode_send(method, arguments)))

    def operations(self) -> tuple[Operation, ...]:
        """What was done here."""
        clear: list[Operation] = [ClearSlots()] if self._cleared else []
        changes = (SetSlot(key, data) for key, data in self._changes.items())
        return (*clear, *changes, *self._sends)

    def _get(self, key: str) -> bytes | None:
        if key in self._changes:
            return self._changes[key]
        return None if self._cleared else self._state.get(key)
