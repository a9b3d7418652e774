"""How strong a model is, by matches or move by move: `python -m trainer.evaluator`."""

from __future__ import annotations

from trainer.core.signals import leave_on_signals

if __name__ == "__main__":
    leave_on_signals()  # what follows takes a second to import

import math
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from trainer.core.command import run_command
from trainer.core.errors import GameError
from trainer.core.json_values import write_json
from trainer.evaluators.onnx_file import OnnxEvaluator, load_model
from trainer.game_config import load_game_config
from trainer.games import ENV_IDS, game_of
from trainer.games.base import DRAW, FIRST, SECOND
from trainer.games.positions import Positions
from trainer.games.solver import SOLVED_GAMES
from trainer.measure.elo import elo_difference
from trainer.measure.exam import exam_of
from trainer.measure.intervals import wilson
from trainer.measure.lines import WALKABLE, both_seats
from trainer.measure.match import Match, play_match
from trainer.measure.openings import draw_openings
from trainer.measure.quality import examine, quality_table, quick_quality
from trainer.players import SEARCH_SIMULATIONS, MinimaxPlayer, NetworkPlayer, RandomPlayer, model_player, named_player
from trainer.players.minimax import MINIMAX
from trainer.settings.validation import LogLevel, require, require_seed, require_writable

RULER = "=" * 50
TABLE_WIDTH = 120
"""Of tables that go to a file."""


@dataclass(frozen=True)
class EvaluatorConfig:
    """Play a model against an opponent and say how it did, or count its wrong moves."""

    model: Path = Path("../data/models/latest.onnx")
    """ONNX model file."""
    db: Path = Path("../data/replay.db")
    """Replay database whose metadata states the game's dimensions; without it the rules do."""
    env_id: str = "tictactoe"
    """The game to play."""
    games: int = 100
    """Games to play, half of them as first player."""
    temperature: float = 0.0
    """Sampling temperature of the model's moves; 0 = always its best move."""
    verbose: bool = False
    """Print every move."""
    opponent: str = "random"
    """`random`; `search` (with the uniform guess in place of a network); `perfect` (tictactoe and connect4); `minimax`
    (connect4 and othello: a few plies of alpha-beta); or the path of another ONNX model."""
    simulations: int = 0
    """Simulations of the model before each move; 0 = the best move of its raw policy."""
    opponent_simulations: int | None = None
    """The same for the opponent; None: 100 for `search`, as many as --simulations for a model."""
    opening_plies: int | None = None
    """Games start from different openings of so many moves, each played from both seats; 0 = from the first position. None:
    as short as different games allow, but 0 against random and where --temperature makes games differ."""
    solve: bool = False
    """Count wrong moves instead: in all positions of tictactoe, or in 6,000 of connect4 that a solver has scored."""
    solve_simulations: tuple[int, ...] = (0, 100, 600)
    """Simulations to count them at; 0 = raw policy."""
    positions: Path | None = None
    """Count them in the positions of this file, which `python -m trainer.measure.make_positions` wrote (connect4)."""
    json: Path | None = None
    """Write everything to this file: rates, intervals, seed, openings, games."""
    seed: int = 0
    """Fixes the openings and the moves that are drawn at random."""
    log_level: LogLevel = "INFO"
    """What to report on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require(self.games >= 1, f"--games is {self.games}; at least 1 is needed")
        require(
            math.isfinite(self.temperature) and self.temperature >= 0,
            f"--temperature is {self.temperature}; give a number, 0 or more",
        )
        require(self.simulations >= 0, f"--simulations is {self.simulations}; 0 or more is needed")
        least = 1 if self.opponent == "search" else 0
        require(
            self.opponent_simulations is None or self.opponent_simulations >= least,
            f"--opponent-simulations is {self.opponent_simulations}; {least} or more is needed",
        )
        plies = self.opening_plies
        require(plies is None or plies >= 0, f"--opening-plies is {plies}; 0 or more is needed")
        require(
            min(self.solve_simulations, default=-1) >= 0,
            f"--solve-simulations is {' '.join(map(str, self.solve_simulations))}; give one or more numbers, 0 or more each",
        )
        require_seed(self.seed)
        for name in ("opponent", "simulations", "opponent_simulations", "temperature", "opening_plies"):
            flag = f"--{name.replace('_', '-')}"
            given = getattr(self, name) != getattr(EvaluatorConfig, name)
            require(
                not (self.solve and given),
                f"{flag} is of matches; leave it out, or --solve (which has --solve-simulations)",
            )
        if self.positions:
            require(self.solve, "--positions is for --solve; give both, or leave it out")
            require(self.env_id == "connect4", f"--positions is for connect4; leave it out for {self.env_id}")
        if self.json:
            require(not self.json.is_dir(), f"--json {self.json} is a folder; give the name of a file")
            require_writable(self.json.parent, "--json")


def evaluate(config: EvaluatorConfig) -> int:
    """The command: measure and print what came of it."""
    config.check()
    dimensions = load_game_config(config.env_id, config.db).metadata
    if config.env_id not in ENV_IDS:
        raise GameError(
            f"{config.env_id} can't be played: {config.db} states its dimensions, but its rules are not here "
            f"(the games with rules are {', '.join(ENV_IDS)})"
        )
    model = load_model(config.model, config.env_id, dimensions.obs_size, dimensions.num_actions)
    found = solve(config, model) if config.solve else compete(config, model)
    if config.json:
        origin = {"model": str(config.model), "step": model.step, "timestamp": int(time.time())}
        write_json(config.json, origin | found)
    return 0


def compete(config: EvaluatorConfig, model: OnnxEvaluator) -> dict[str, Any]:
    """Play the match and print the block; returns what `--json` keeps."""
    name = f"ONNX({config.model.name})"
    player = model_player(name, config.env_id, model, config.simulations, config.games, config.temperature)
    simulations = config.opponent_simulations
    if simulations is None:
        simulations = SEARCH_SIMULATIONS if config.opponent == "search" else config.simulations
    opponent = named_player(config.opponent, config.env_id, simulations, config.games)
    openings = None
    games_differ = config.opponent == "random" or config.temperature > 0
    if config.opening_plies or (config.opening_plies is None and not games_differ):
        openings = draw_openings(config.env_id, (config.games + 1) // 2, config.seed, config.opening_plies)
    match = play_match(config.env_id, player, opponent, config.games, config.seed, openings)
    if config.verbose:
        print("\n".join(move_lines(match)))
    print(report(match) if config.opponent == "random" else report_with_intervals(match))
    settings = {
        "simulations": config.simulations,
        "opponent_simulations": simulations if config.opponent not in ("random", "perfect", "minimax") else None,
        "temperature": config.temperature,
    }
    return match.as_json() | settings


def solve(config: EvaluatorConfig, model: OnnxEvaluator) -> dict[str, Any]:
    """Count wrong moves, beside those of the minimax yardstick, and print the table; returns what `--json` keeps."""
    exam = exam_of(config.env_id, config.positions)
    name = f"ONNX({config.model.name})"
    results, walked = [], []
    for simulations in config.solve_simulations:
        player = model_player(name, config.env_id, model, simulations, len(exam.kind))
        shown = f"{simulations} simulations" if simulations else "raw policy"
        results.append(replace(examine(exam, player), player=shown))
        if config.env_id in WALKABLE:
            walked.append(both_seats(config.env_id, shown, player))
    if config.env_id in MINIMAX:
        results.append(examine(exam, MinimaxPlayer(config.env_id)))
    console = Console()
    Console(width=None if console.is_terminal else TABLE_WIDTH).print(
        quality_table(f"Wrong moves of {name} in {config.env_id}", results)
    )
    for lines in walked:
        print(lines)
    return {
        "env_id": config.env_id,
        "simulations": list(config.solve_simulations),
        "positions": str(config.positions) if config.positions else None,
        "results": [quality.as_json() for quality in results],
        "every_line": [asdict(lines) for lines in walked],
    }


def report(match: Match, intervals: bool = False) -> str:
    """The block that the evaluator prints; against random play it ends in a verdict and shows no intervals."""

    def of_all(count: int) -> str:
        low, high = wilson(count, match.games)
        shown = f", 95% interval {100 * low:.1f} to {100 * high:.1f}%" if intervals else ""
        return f"{count} ({100 * count / match.games:.1f}%{shown})"

    first, second = match.game.player_names
    lines = [
        RULER,
        f"Evaluation Results: {match.player} vs {match.opponent}",
        RULER,
        f"Games played: {match.games}",
        "",
    ]
    for name, count in ((match.player, match.wins), (match.opponent, match.losses)):
        lines += [
            f"{name}:",
            f"  Wins: {of_all(count(FIRST) + count(SECOND))}",
            f"    As {first} (first): {count(FIRST)}",
            f"    As {second} (second): {count(SECOND)}",
            "",
        ]
    lines += [
        f"Draws: {of_all(match.draws)}",
        f"Average game length: {match.average_length:.1f} moves",
        RULER,
    ]
    return "\n".join(lines if intervals else [*lines, "", verdict(match.win_rate)])


def report_with_intervals(match: Match) -> str:
    """The block against anybody but random play: 95% intervals, the score, and how many games there really were."""
    low, high = wilson(match.score * match.games, match.games)
    elo = [f"{elo_difference(score):+.0f}" for score in (match.score, low, high)]
    lines = [
        report(match, intervals=True),
        "",
        f"Score: {100 * match.score:.1f}% (95% interval {100 * low:.1f} to {100 * high:.1f}%; a draw is half a point), "
        f"an Elo difference of {elo[0]} ({elo[1]} to {elo[2]})",
        games_line(match),
    ]
    return "\n".join(lines)


def games_line(match: Match) -> str:
    """How the games were made different, and how many of them were."""
    different = f"{match.different_games} of the {match.games} games are different"
    if not match.openings:
        return f"All games started from the first position; {different}."
    but_one = ", but for the last game's" if match.games % 2 else ""
    return (
        f"{len(match.openings)} different openings of {len(match.openings[0])} moves (seed {match.seed}), "
        f"each played from both seats{but_one}; {different}."
    )


def verdict(win_rate: float) -> str:
    """What a win rate against random play means."""
    if win_rate > 0.7:
        return "✓ Model is significantly better than random play!"
    if win_rate > 0.5:
        return "✓ Model is slightly better than random play"
    if win_rate > 0.3:
        return "~ Model is roughly equivalent to random play"
    return "✗ Model is worse than random play"


def move_lines(match: Match) -> list[str]:
    """A line for every move of every game."""
    lines = []
    for number, (seat, winner, moves) in enumerate(zip(match.seats, match.winners, match.moves, strict=True)):
        lines.append(f"Game {number + 1}: {match.player} plays {match.game.player_names[seat - 1]}")
        positions = Positions(match.game.env_id, 1)
        opening = len(match.opening(number))
        for ply, action in enumerate(moves, start=1):
            mover = int(positions.mover[0])
            who = "opening" if ply <= opening else match.player if mover == seat else match.opponent
            lines.append(f"  {ply:3d}. {match.game.player_names[mover - 1]} ({who}): {action}")
            positions.play(np.array([0]), np.array([action]))
        lines.append("  draw" if winner == DRAW else f"  {match.game.player_names[winner - 1]} wins")
    return lines


def evaluate_step(
    path: Path, env_id: str, games: int, seed: int, simulations: tuple[int, ...] = (0,)
) -> dict[str, Any]:
    """A model's raw policy against random play, as an entry of stats.json's `eval_history`.

    Where the game can be examined, `move_quality` says how many of its moves are wrong, once for each of `simulations`.
    """
    game = game_of(env_id)
    model = load_model(path, env_id, game.obs_size, game.num_actions)
    match = play_match(env_id, NetworkPlayer(path.name, model), RandomPlayer(), games, seed)
    evaluation = match.as_evaluation(model.step)
    if env_id in SOLVED_GAMES:
        evaluation["move_quality"] = [
            {"simulations": number, **quick_quality(env_id, model, number).as_json()} for number in simulations
        ]
    return evaluation


def main() -> int:
    """The command."""
    return run_command(EvaluatorConfig, evaluate, prog="python -m trainer.evaluator")


if __name__ == "__main__":
    sys.exit(main())
