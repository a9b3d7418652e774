"""The settings of a ladder: the flags of `python -m trainer.ladder`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.settings.evaluator import EvaluatorConfig
from trainer.settings.groups.device import EvaluationSettings
from trainer.settings.validation import LogLevel, require_above_0, require_at_least, require_output, require_seed


@dataclass(frozen=True)
class LadderConfig(EvaluationSettings):
    """Play the models of a run against each other and rate them in Elo."""

    model_dir: Path = Path("../data/models")
    """Folder with the models of a run, `model_step_*.onnx`."""
    env_id: str | None = None
    """Game to play. None: the one that the models were trained for; tictactoe if their files don't say. A game of your own
    needs its file here, as in ./mygame.py."""
    rungs: int = 8
    """Models to rate, evenly spaced from the oldest to the newest."""
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

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 1, "rungs", "games")
        require_at_least(self, 0, "simulations", "opening_plies")
        require_above_0(self, "engine_seconds")
        require_seed(self.seed)
        require_output(self.json, "--json")
        require_output(self.plot, "--plot")
