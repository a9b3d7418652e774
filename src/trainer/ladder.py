"""The strength of a run's models against each other: `python -m trainer.ladder`. N rungs."""

from __future__ import annotations

from trainer.core.signals import leave_on_signals

if __name__ == "__main__":
    leave_on_signals()  # what follows takes a second to import

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from trainer.core.command import run_command
from trainer.core.errors import ModelError
from trainer.core.json_values import write_json
from trainer.evaluators.onnx_file import load_model
from trainer.games import game_of
from trainer.measure.elo import fit_elo
from trainer.measure.match import Match, play_match
from trainer.measure.openings import draw_openings
from trainer.measure.plot import Curve, require_plots, save_plot
from trainer.players import SEARCH_SIMULATIONS, Player, model_player, named_player
from trainer.run.model_files import step_of, stored_models
from trainer.settings.validation import LogLevel, require, require_seed, require_writable

TABLE_WIDTH = 100
"""Of a table that goes to a file."""


@dataclass(frozen=True)
class LadderConfig:
    """Play the models of a run against each other and rate them in Elo."""

    model_dir: Path = Path("../data/models")
    """Folder with the models of a run, `model_step_*.onnx`."""
    env_id: str = "tictactoe"
    """The game to play."""
    rungs: int = 8
    """Models to take, evenly from the oldest to the newest."""
    games: int = 40
    """Games between each two of them, from different openings played from both seats."""
    simulations: int = 0
    """Simulations before each move; 0 = the best move of the raw policy."""
    opening_plies: int | None = None
    """Moves of an opening; None: as short as different games allow."""
    against: tuple[str, ...] = ()
    """Further players on the ladder: random, search (100 simulations), perfect, minimax, or paths of models."""
    json: Path | None = None
    """Write ratings and all games to this file."""
    plot: Path | None = None
    """Draw the ratings over the training steps into this PNG file."""
    seed: int = 0
    """Fixes the openings, and the moves of players that draw theirs."""
    log_level: LogLevel = "INFO"
    """What to report on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require(self.rungs >= 1, f"--rungs is {self.rungs}; at least 1 is needed")
        require(self.games >= 1, f"--games is {self.games}; at least 1 is needed")
        require(self.simulations >= 0, f"--simulations is {self.simulations}; 0 or more is needed")
        plies = self.opening_plies
        require(plies is None or plies >= 0, f"--opening-plies is {plies}; 0 or more is needed")
        require_seed(self.seed)
        for flag, path in (("--json", self.json), ("--plot", self.plot)):
            if path:
                require(not path.is_dir(), f"{flag} {path} is a folder; give the name of a file")
                require_writable(path.parent, flag)
        if self.plot:
            require_plots()


@dataclass(frozen=True)
class Rung:
    """A player on the ladder."""

    name: str
    step: int | None
    """Training step of a run's model; None for the others."""
    games: int
    score: float
    """Points per game against all others, a draw half a point."""
    elo: float
    """Against the average of the ladder, which is 0."""
    elo_margin: float
    """Half the width of the 95% interval."""


def climb(config: LadderConfig) -> int:
    """The command: play, rate, print."""
    config.check()
    players, steps = ladder_players(config)
    openings = draw_openings(config.env_id, (config.games + 1) // 2, config.seed, config.opening_plies)
    matches: dict[tuple[int, int], Match] = {}
    console = Console(stderr=True)
    with console.status("playing") as status:
        for first, second in combinations(range(len(players)), 2):
            status.update(f"{players[first].name} against {players[second].name}")
            matches[first, second] = play_match(
                config.env_id, players[first], players[second], config.games, config.seed, openings
            )
    rungs = rate([player.name for player in players], steps, matches)
    output = Console()
    title = f"Elo in {config.env_id}"
    Console(width=None if output.is_terminal else TABLE_WIDTH).print(ladder_table(title, rungs))
    different = sum(match.different_games for match in matches.values())
    print(
        f"0 = the average. {config.games} games between each two, from {len(openings)} openings of {len(openings[0])} moves "
        f"(seed {config.seed}), each from both seats; {different} of the {config.games * len(matches)} games are different."
    )
    if config.json:
        write_json(config.json, as_json(config, openings, rungs, list(matches.values())))
    if config.plot:
        save_plot(config.plot, title, "training step", "Elo (0 = average)", curves(rungs))
    return 0


def ladder_players(config: LadderConfig) -> tuple[list[Player], list[int | None]]:
    """The players of a ladder and their training steps. Raises ModelError where there are fewer than two."""
    game = game_of(config.env_id)
    players: list[Player] = []
    steps: list[int | None] = []
    for path in evenly(stored_models(config.model_dir), config.rungs):
        model = load_model(path, config.env_id, game.obs_size, game.num_actions)
        step = step_of(path)
        players.append(model_player(f"step {step:,}", config.env_id, model, config.simulations, config.games))
        steps.append(step)
    for name in config.against:
        simulations = SEARCH_SIMULATIONS if name == "search" else config.simulations
        players.append(named_player(name, config.env_id, simulations, config.games))
        steps.append(None)
    if len(players) < 2:
        raise ModelError(
            f"a ladder needs two players and there are {len(players)}: {config.model_dir} holds "
            f"{len(stored_models(config.model_dir))} model_step_*.onnx; name the folder of a run with --model-dir, allow "
            f"more --rungs than {config.rungs}, or add a player with --against"
        )
    return players, steps


def evenly(paths: Sequence[Path], count: int) -> list[Path]:
    """Up to `count` of them, evenly, the last always and the first where there is room."""
    if len(paths) <= count:
        return list(paths)
    chosen = np.linspace(len(paths) - 1, 0, count).round().astype(int)
    return [paths[number] for number in reversed(chosen)]


def rate(names: list[str], steps: list[int | None], matches: dict[tuple[int, int], Match]) -> list[Rung]:
    """Rate N players by the matches between each two of them, numbered in the order of `names`."""
    points: NDArray[np.float64] = np.zeros((len(names), len(names)))
    for (first, second), match in matches.items():
        points[first, second] = match.score * match.games
        points[second, first] = match.games - points[first, second]
    ratings = fit_elo(points)
    games = (points + points.T).sum(axis=1)
    return [
        Rung(
            name,
            steps[number],
            round(games[number]),
            float(points[number].sum() / games[number]),
            float(ratings.elo[number]),
            float(ratings.margin[number]),
        )
        for number, name in enumerate(names)
    ]


def ladder_table(title: str, rungs: list[Rung]) -> Table:
    """A row for each player, the models in the order of their steps."""
    table = Table(title=title, title_justify="left")
    table.add_column("player")
    for name in ("games", "score", "Elo", "95% interval"):
        table.add_column(name, justify="right")
    for rung in rungs:
        low, high = rung.elo - rung.elo_margin, rung.elo + rung.elo_margin
        table.add_row(rung.name, f"{rung.games}", f"{rung.score:.1%}", f"{rung.elo:+.0f}", f"{low:+.0f} to {high:+.0f}")
    return table


def curves(rungs: list[Rung]) -> list[Curve]:
    """The ratings over the steps, and a level line for each player that isn't a model of the run."""
    models = [rung for rung in rungs if rung.step is not None]
    steps = [float(rung.step or 0) for rung in models] or [0.0, 1.0]
    drawn = []
    for name, points, x in (
        *([("models", models, steps)] if models else []),
        *((rung.name, [rung, rung], [steps[0], steps[-1]]) for rung in rungs if rung.step is None),
    ):
        elo = [rung.elo for rung in points]
        low = [rung.elo - rung.elo_margin for rung in points]
        high = [rung.elo + rung.elo_margin for rung in points]
        drawn.append(Curve(name, x, elo, low, high))
    return drawn


def as_json(config: LadderConfig, openings: list[list[int]], rungs: list[Rung], matches: list[Match]) -> dict[str, Any]:
    """Everything that there is to know of a ladder, for `--json`."""
    return {
        "env_id": config.env_id,
        "model_dir": str(config.model_dir),
        "simulations": config.simulations,
        "seed": config.seed,
        "timestamp": int(time.time()),
        "openings": openings,
        "ladder": [asdict(rung) for rung in rungs],
        "matches": [match.as_json() for match in matches],
    }


def main() -> int:
    """The command."""
    return run_command(LadderConfig, climb, prog="python -m trainer.ladder")


if __name__ == "__main__":
    sys.exit(main())
