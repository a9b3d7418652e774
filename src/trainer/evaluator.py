"""Matches between players, and what they say about a model: `python -m trainer.evaluator`."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.command import LogLevel, require, run_command
from trainer.errors import GameError
from trainer.game_config import load_game_config
from trainer.games import ENV_IDS, game_of
from trainer.games.base import DRAW, FIRST, OPEN, SECOND, Game
from trainer.games.positions import Positions
from trainer.inference import load_model
from trainer.players import NetworkPlayer, Player, RandomPlayer

RULER = "=" * 50


@dataclass(frozen=True)
class EvaluatorConfig:
    """Play a model against random play and say how it did."""

    model: Path = Path("../data/models/latest.onnx")
    """ONNX model file."""
    db: Path = Path("../data/replay.db")
    """Replay database whose metadata states the game's dimensions; without it the rules do."""
    env_id: str = "tictactoe"
    """The game to play."""
    games: int = 100
    """Games to play, half of them as first player."""
    temperature: float = 0.0
    """Sampling temperature of the model's policy; 0 = always its best move."""
    verbose: bool = False
    """Print every move."""
    seed: int = 0
    """Fixes the random player's moves, and the model's where it samples."""
    log_level: LogLevel = "INFO"
    """What to report on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require(self.games >= 1, f"--games is {self.games}; at least 1 is needed")
        require(self.temperature >= 0, f"--temperature is {self.temperature}; 0 or more is needed")
        require(self.seed >= 0, f"--seed is {self.seed}; 0 or more is needed")


@dataclass(frozen=True)
class Match:
    """The games of a match between a player and an opponent, N of them."""

    game: Game
    player: str
    opponent: str
    seats: NDArray[np.int64]
    """[N] the player's seat: FIRST or SECOND."""
    winners: NDArray[np.int64]
    """[N] FIRST, SECOND or DRAW."""
    moves: list[list[int]]
    """The actions of each game."""

    @property
    def games(self) -> int:
        """N."""
        return len(self.seats)

    @property
    def draws(self) -> int:
        """Games without a winner."""
        return int((self.winners == DRAW).sum())

    @property
    def average_length(self) -> float:
        """Mean number of moves."""
        return sum(map(len, self.moves)) / self.games

    def wins(self, seat: int) -> int:
        """Games that the player won from this seat."""
        return int(((self.winners == seat) & (self.seats == seat)).sum())

    def losses(self, seat: int) -> int:
        """Games that the opponent won from this seat."""
        return int(((self.winners == seat) & (self.seats != seat)).sum())

    @property
    def win_rate(self) -> float:
        """Share of games that the player won."""
        return (self.wins(FIRST) + self.wins(SECOND)) / self.games

    @property
    def loss_rate(self) -> float:
        """Share of games that the opponent won."""
        return (self.losses(FIRST) + self.losses(SECOND)) / self.games

    def as_evaluation(self, step: int | None) -> dict[str, Any]:
        """The match as an entry of stats.json's `eval_history`."""
        return {
            "step": step,
            "opponent": self.opponent.lower(),
            "win_rate": self.win_rate,
            "draw_rate": self.draws / self.games,
            "loss_rate": self.loss_rate,
            "games_played": self.games,
            "timestamp": int(time.time()),
        }


def play_match(env_id: str, player: Player, opponent: Player, games: int, seed: int) -> Match:
    """Play all games side by side, the first half of them (rounded up) with the player in the first seat.

    Game n draws its random numbers from (seed, n) alone.
    """
    generators = [np.random.default_rng([seed, number]) for number in range(games)]
    positions = Positions(env_id, games)
    seats = np.where(np.arange(games) < (games + 1) // 2, FIRST, SECOND)
    moves: list[list[int]] = [[] for _ in range(games)]
    while (under_way := positions.winner == OPEN).any():
        to_move = positions.mover.copy()
        for who, rows in (
            (player, np.flatnonzero(under_way & (to_move == seats))),
            (opponent, np.flatnonzero(under_way & (to_move != seats))),
        ):
            if len(rows):
                chosen = who.choose(positions.of(positions.states[rows]), [generators[row] for row in rows])
                positions.play(rows, chosen)
                for row, action in zip(rows, chosen, strict=True):
                    moves[row].append(int(action))
    return Match(positions.game, player.name, opponent.name, seats, positions.winner.astype(np.int64), moves)


def report(match: Match) -> str:
    """The block that the evaluator prints."""

    def of_all(count: int) -> str:
        return f"{count} ({100 * count / match.games:.1f}%)"

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
        "",
        verdict(match.win_rate),
    ]
    return "\n".join(lines)


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
    for number, (seat, winner, moves) in enumerate(zip(match.seats, match.winners, match.moves, strict=True), start=1):
        lines.append(f"Game {number}: {match.player} plays {match.game.player_names[seat - 1]}")
        positions = Positions(match.game.env_id, 1)
        for ply, action in enumerate(moves, start=1):
            mover = int(positions.mover[0])
            who = match.player if mover == seat else match.opponent
            lines.append(f"  {ply:3d}. {match.game.player_names[mover - 1]} ({who}): {action}")
            positions.play(np.array([0]), np.array([action]))
        lines.append("  draw" if winner == DRAW else f"  {match.game.player_names[winner - 1]} wins")
    return lines


def evaluate(config: EvaluatorConfig) -> int:
    """The command: play the match and print what came of it."""
    config.check()
    dimensions = load_game_config(config.env_id, config.db).metadata
    if config.env_id not in ENV_IDS:
        raise GameError(
            f"{config.env_id} can't be played: {config.db} states its dimensions, but its rules are not here "
            f"(the games with rules are {', '.join(ENV_IDS)})"
        )
    model = load_model(config.model, config.env_id, dimensions.obs_size, dimensions.num_actions)
    player = NetworkPlayer(f"ONNX({config.model.name})", model, config.temperature)
    match = play_match(config.env_id, player, RandomPlayer(), config.games, config.seed)
    if config.verbose:
        print("\n".join(move_lines(match)))
    print(report(match))
    return 0


def evaluate_step(path: Path, env_id: str, games: int, seed: int) -> dict[str, Any]:
    """A model's raw policy against random play, as an entry of stats.json's `eval_history`."""
    game = game_of(env_id)
    model = load_model(path, env_id, game.obs_size, game.num_actions)
    match = play_match(env_id, NetworkPlayer(path.name, model), RandomPlayer(), games, seed)
    return match.as_evaluation(model.step)


def main() -> int:
    """The command."""
    return run_command(EvaluatorConfig, evaluate, prog="python -m trainer.evaluator")


if __name__ == "__main__":
    sys.exit(main())
