"""Settings of the search: its constants, the same for every game unless they are given. Commands take them for self-play."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.settings.base import Settings, fixed
from trainer.settings.validation import require, require_at_least


@dataclass(frozen=True)
class SearchSettings(Settings):
    """The constants by which the searches of self-play select moves."""

    c_puct: float = fixed(1.5)
    """Weight of the prior against the value in the searches of self-play (PUCT; Silver et al. 2017)."""
    fpu_reduction: float = fixed(0.25)
    """How much worse than its parent an unvisited move is assumed to be, times sqrt(sum of the visited priors) (KataGo)."""
    noise_fraction: float = fixed(0.25)
    """Share of Dirichlet noise in the root's priors of a search without --gumbel (AlphaZero)."""
    considered: int = fixed(16)
    """The most moves that a search with --gumbel tries at the root, not counting those that replace proven losses."""
    value_scale: float = fixed(0.1)
    """With --gumbel: weight of a move's value against its logit at the root, times 50 + the visits of the most visited move
    (c_scale in Danihelka et al. 2022)."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 0, "c_puct", "fpu_reduction", "value_scale")
        require_at_least(self, 1, "considered")
        share = self.noise_fraction
        require(0 <= share <= 1, f"--noise-fraction is {share}; give a share from 0 to 1")
