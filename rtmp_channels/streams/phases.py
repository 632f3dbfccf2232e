"""Which moment of the tick a player is written to."""

from __future__ import annotations

from rtmp_channels.streams.limits import StreamLimits


class Phases:
    """How many players of all streams each moment of the tick has."""

    def __init__(self, limits: StreamLimits) -> None:
        self.players = [0] * (limits.phases if limits.tick_ms else 1)
        self._full = limits.phase_players

    def take(self) -> int:
        """One player more: at the first moment that is not full, else at the emptiest."""
        fewest = min(self.players)
        if fewest < self._full:
            phase = next(at for at, count in enumerate(self.players) if count < self._full)
        else:
            phase = self.players.index(fewest)
        self.players[phase] += 1
        return phase

    def give_back(self, phase: int) -> None:
        """One player less."""
        self.players[phase] -= 1
