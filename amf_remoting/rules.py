"""Who may call a method: what the code says and what the admin adds to it."""

from dataclasses import dataclass, field
from typing import Self

from .throttle import Throttle


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The conditions of a call. Rules are added up and only ever get stricter."""

    enabled: bool = True
    login_required: bool = False
    permissions: tuple[str, ...] = ()
    """Django permissions ("app_label.codename"), all of them needed."""
    throttles: tuple[Throttle, ...] = ()
    """Rates, all of them kept."""
    is_open: bool = field(init=False, repr=False, compare=False)
    """Whether everybody may call at any time, as is so of most methods."""

    def __post_init__(self) -> None:
        restricted = self.login_required or self.permissions or self.throttles
        object.__setattr__(self, "is_open", self.enabled and not restricted)

    @property
    def needs_user(self) -> bool:
        """Whether it matters who calls."""
        return self.login_required or bool(self.permissions)

    def and_also(self, other: Self | None) -> Self:
        """Both rules at once."""
        if other is None:
            return self
        return type(self)(
            enabled=self.enabled and other.enabled,
            login_required=self.login_required or other.login_required,
            permissions=(*self.permissions, *other.permissions),
            throttles=(*self.throttles, *other.throttles),
        )
