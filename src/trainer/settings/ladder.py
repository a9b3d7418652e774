"""The settings of a ladder: the flags of `python -m trainer.ladder`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer.settings.evaluator import EvaluatorConfig
from trainer.settings.groups.device import EvaluationSettings
from trainer.settings.validation import (
    LogLevel,
    require,
    require_above_0,
    require_at_least,
    require_other_file,
    require_output,
    require_seed,
)


@dataclass(frozen=True)
class LadderConfig(EvaluationSettings):
    """Play the models of a run, or of several, against each other and rate them in Elo."""

    model_dir: Path | tuple[Path, ...] = Path("../data/models")
    """Folder with the models of a run, `model_step_*.onnx`, or folders of several runs."""
    env_id: str | None = None
    """Game to play. None: the one that the models were trained for; tictactoe if their files don't say. A game of your own
    needs its file here, as in ./mygame.py."""
    rungs: int = 8
    """Models of each run to rate, evenly spaced from the oldest to the newest."""
    games: int = 40
    """Games between each pair of players, from different openings that are played from both seats."""
    simulations: int = 0
    """Search simulations before each move; 0 = the best move of the raw policy."""
    opening_plies: int | None = None
    """Moves in each opening; None = as few as different games need."""
    against: tuple[str, ...] = ()
    """Further players to rate: random, rollouts (1,000 simulations), search (100), perfect, minimax, other programs
    (`gtp: COMMAND`, `uci: COMMAND`; docs/engines.md), `pretrained` (the model that comes with the package), or paths of
    models and of Python files with a function `choose(position)`."""
    pairs: Literal["all", "against"] = "all"
    """Who meets: all, or only pairs with a player of --against."""
    zero: str | None = None
    """The player of --against whose rating is 0, so that ladders with the same player can be compared; None: the average
    of all is 0."""
    engine_seconds: float = EvaluatorConfig.engine_seconds
    """Seconds that one answer of another program may take."""
    json: Path | None = None
    """Write the ratings and all games to this file."""
    plot: Path | None = None
    """Draw the ratings over the training steps into this PNG file."""
    seed: int = 0
    """Seed of the openings and of the moves that are drawn at random."""
    log_level: LogLevel = "INFO"
    """Least severe messages to show on standard error."""

    @property
    def model_dirs(self) -> tuple[Path, ...]:
        """The folders of `model_dir`, each once."""
        given = self.model_dir if isinstance(self.model_dir, tuple) else (self.model_dir,)
        found: dict[str, Path] = {}
        for path in given:
            found.setdefault(os.path.abspath(path), path)
        return tuple(found.values())

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 1, "rungs", "games")
        require_at_least(self, 0, "simulations", "opening_plies")
        require_above_0(self, "engine_seconds")
        require_seed(self.seed)
        require(self.model_dir != (), "--model-dir is given without a path; give a folder with models, or several")
        named = f"--zero is {self.zero}; give one of the players of --against"
        require(self.zero is None or self.zero in self.against, named)
        require(self.pairs == "all" or self.against != (), "--pairs is against, and no player is given with --against")
        require_output(self.json, "--json")
        require_output(self.plot, "--plot")
        require_other_file(self.json, "--json", *self.against)
        require_other_file(self.plot, "--plot", *self.against, self.json)
