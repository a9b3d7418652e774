"""Settings of the search with which a model plays, outside of self-play."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.settings.base import Settings
from trainer.settings.groups.search import SearchSettings
from trainer.settings.validation import require_above_0, require_at_least


@dataclass(frozen=True)
class PlayingSettings(Settings):
    """The constants by which a model's search selects moves when it plays."""

    c_puct: float = SearchSettings.c_puct
    """Weight of the prior against the value in the model's searches (PUCT; Silver et al. 2017)."""
    fpu_reduction: float = SearchSettings.fpu_reduction
    """How much worse than its parent an unvisited move is assumed to be, times sqrt(sum of the visited priors) (KataGo)."""
    policy_temperature: float = 2.0
    """Each prior is raised to the power of 1 / this. Above 1, moves that the network is sure are bad are tried sooner."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 0, "c_puct", "fpu_reduction")
        require_above_0(self, "policy_temperature")
