"""What an AMF3 object says about its class before its values (AMF 3 §3.12)."""

from typing import Final

TraitsKey = tuple[str, tuple[str, ...], bool, bool]


class Traits:
    """Class name, sealed member names, and whether more may follow. One class may have several."""

    def __init__(
        self,
        class_name: str,
        names: tuple[str, ...],
        dynamic: bool,
        externalizable: bool,
    ) -> None:
        self.class_name: Final = class_name
        self.names: Final = names
        self.dynamic: Final = dynamic
        self.externalizable: Final = externalizable
        self.key: Final[TraitsKey] = (class_name, names, dynamic, externalizable)

    def __repr__(self) -> str:
        kind = "externalizable" if self.externalizable else "dynamic" if self.dynamic else "sealed"
        return f"Traits({self.class_name!r}, {self.names!r}, {kind})"


ANONYMOUS: Final = Traits("", (), True, False)
"""A plain object: no class, every member dynamic."""
