"""The settings of an evaluation: the flags of `python -m trainer.evaluator`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from trainer.settings.groups.device import EvaluationSettings
from trainer.settings.groups.playing import PlayingSettings
from trainer.settings.validation import (
    LogLevel,
    require,
    require_above_0,
    require_at_least,
    require_database,
    require_other_file,
    require_output,
    require_seed,
)

MATCH_SETTINGS = (
    "games",
    "opponent",
    "simulations",
    "opponent_simulations",
    "engine_seconds",
    "temperature",
    "opening_plies",
    "seed",
    "verbose",
)
"""Settings that only matches use."""
SOLVE_SETTINGS = ("solve_simulations", "positions")
"""Settings that only --solve uses."""
SEARCH_SETTINGS = tuple(field.name for field in fields(PlayingSettings))
"""Settings of the model's search, which both use."""


@dataclass(frozen=True)
class EvaluatorConfig(EvaluationSettings, PlayingSettings):
    """Play a model against an opponent and report the result, or count the model's wrong moves."""

    model: Path = Path("../data/models/latest.onnx")
    """ONNX model file, or `pretrained`: the model of the game that comes with the package."""
    db: Path | tuple[Path, ...] = Path("../data/replay.db")
    """Replay database to read the game's dimensions from, or several. Without the file, they come from the rules."""
    env_id: str | None = None
    """Game to play. None: the one that the model was trained for; tictactoe if its file doesn't say. A game of your own
    needs its file here, as in ./mygame.py."""
    games: int = 100
    """Games to play. The model moves first in half of them."""
    temperature: float = 0.0
    """Sampling temperature of the model's moves; 0 = always its best move."""
    verbose: bool = False
    """Print every move."""
    opponent: str = "random"
    """`random`; `rollouts` (UCT with random rollouts); `search` (search with the uniform guess instead of a network);
    `perfect` (connect4, dots up to 3x3, and small games); `minimax` (connect4, othello, minichess and mnk: alpha-beta,
    a few plies deep; `minimax:8` looks 8 plies ahead); another program, `gtp: COMMAND` or `uci: COMMAND`
    (docs/engines.md); `pretrained`; the path of another ONNX model; or that of a Python file with a function
    `choose(position)`."""
    simulations: int = 0
    """Search simulations of the model before each move; 0 = the best move of its raw policy."""
    opponent_simulations: int | None = None
    """Search simulations of the opponent before each move; None = 100 for `search`, 1,000 for `rollouts`, 10,000 nodes for
    `uci:`, as many as --simulations for a model."""
    engine_seconds: float = 60.0
    """Seconds that one answer of another program may take."""
    opening_plies: int | None = None
    """Moves in each opening. Games start from different openings, each played from both seats; 0 = from the first
    position. None = as few moves as different games need, but 0 against random or with a --temperature above 0."""
    solve: bool = False
    """Count wrong moves instead of playing, in test positions that a solver has scored: 6,000 of connect4, 1,000 of
    othello, 5,000 of dots, or all (at most 5,000) of a game that is small enough to visit all positions, such as
    tictactoe."""
    solve_simulations: tuple[int, ...] = (0, 100, 600)
    """With --solve: the simulations to count wrong moves at, one number or several; 0 = raw policy."""
    positions: Path | None = None
    """With --solve: take the test positions from this file, which `python -m trainer.measure.make_positions` wrote
    (connect4)."""
    json: Path | None = None
    """Write everything to this file: rates, intervals, seed, openings, games."""
    seed: int = 0
    """Seed of the openings and of the moves that are drawn at random."""
    log_level: LogLevel = "INFO"
    """Least severe messages to show on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 1, "games")
        require_at_least(self, 0, "simulations", "opponent_simulations", "opening_plies", "temperature")
        require(
            min(self.solve_simulations, default=-1) >= 0,
            f"--solve-simulations is {' '.join(map(str, self.solve_simulations))}; give one or more numbers, 0 or more each",
        )
        require_above_0(self, "engine_seconds")
        PlayingSettings.check(self)
        searches, flag = self.simulations, "--simulations"
        if self.solve:
            searches, flag = max(self.solve_simulations), "--solve-simulations"
        for name in SEARCH_SETTINGS:
            require(
                searches > 0 or getattr(self, name) == getattr(EvaluatorConfig, name),
                f"--{name.replace('_', '-')} is for searches, and the model makes none; give {flag}, such as {flag} 100",
            )
        require_seed(self.seed)
        given = [
            name for name in (*MATCH_SETTINGS, *SOLVE_SETTINGS) if getattr(self, name) != getattr(EvaluatorConfig, name)
        ]
        for name in given:
            flag = f"--{name.replace('_', '-')}"
            require(
                not self.solve or name in SOLVE_SETTINGS,
                f"{flag} is for matches, and --solve plays none; leave out one of them "
                f"(--solve-simulations sets the simulations of --solve)",
            )
            require(self.solve or name in MATCH_SETTINGS, f"{flag} is for --solve; give both, or leave out {flag}")
        require_output(self.json, "--json")
        require_other_file(self.json, "--json", self.model, self.opponent)
        require_database(self.db)
