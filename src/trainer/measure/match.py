"""A match: many games between two players, side by side."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.games import find_game
from trainer.games.base import DRAW, FIRST, OPEN, SECOND, Game, opponent_of
from trainer.games.positions import Positions
from trainer.measure.intervals import score_interval, wilson
from trainer.players import RESIGNS, Player

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Match:
    """The N games of a match between a player and an opponent."""

    game: Game
    player: str
    opponent: str
    seats: NDArray[np.int64]
    """[N] the player's seat: FIRST or SECOND."""
    winners: NDArray[np.int64]
    """[N] FIRST, SECOND or DRAW."""
    moves: list[list[int]]
    """The actions of each game, its opening included."""
    seed: int
    """Seed of the openings and of the moves drawn at random."""
    openings: list[list[int]] | None = None
    """Game n started with `openings[n // 2]`; after the last opening comes the first again. None = no openings."""
    resigned: frozenset[int] = frozenset()
    """The numbers of the games that ended because the loser gave up."""

    def __repr__(self) -> str:
        """The result on one line, for the player."""
        wins, losses = self.wins(FIRST) + self.wins(SECOND), self.losses(FIRST) + self.losses(SECOND)
        low, high = self.score_interval
        return (
            f"{self.player} against {self.opponent}: {wins} wins, {self.draws} draws, {losses} losses, "
            f"score {100 * self.score:.1f}% ({100 * low:.1f} to {100 * high:.1f}%)"
        )

    @property
    def games(self) -> int:
        """N, the number of games."""
        return len(self.seats)

    @property
    def draws(self) -> int:
        """The number of games without a winner."""
        return int((self.winners == DRAW).sum())

    @property
    def average_length(self) -> float:
        """Mean number of moves."""
        return sum(map(len, self.moves)) / self.games

    def wins(self, seat: int) -> int:
        """The number of games that the player won from this seat."""
        return int(((self.winners == seat) & (self.seats == seat)).sum())

    def losses(self, seat: int) -> int:
        """The number of games that the opponent won from this seat."""
        return int(((self.winners == seat) & (self.seats != seat)).sum())

    @property
    def win_rate(self) -> float:
        """Share of games that the player won."""
        return (self.wins(FIRST) + self.wins(SECOND)) / self.games

    @property
    def loss_rate(self) -> float:
        """Share of games that the opponent won."""
        return (self.losses(FIRST) + self.losses(SECOND)) / self.games

    @property
    def score(self) -> float:
        """Points per game; a draw is half a point."""
        return self.win_rate + self.draws / self.games / 2

    @property
    def grouped_points(self) -> list[list[float]]:
        """The player's points in each game, 1, 1/2 or 0; those of two games from the same opening are together."""
        points = np.where(self.winners == DRAW, 0.5, self.winners == self.seats).tolist()
        size = 2 if self.openings else 1
        return [points[number : number + size] for number in range(0, self.games, size)]

    @property
    def score_interval(self) -> tuple[float, float]:
        """The 95% interval of the score. With openings it allows for those that decide both of their games."""
        return score_interval(self.grouped_points)

    @property
    def different_games(self) -> int:
        """The number of games that differ from each other in a move or in who made it."""
        return len({(int(seat), *moves) for seat, moves in zip(self.seats, self.moves, strict=True)})

    def opening(self, number: int) -> list[int]:
        """The moves of a game's opening."""
        return self.openings[number // 2 % len(self.openings)] if self.openings else []

    def result(self, number: int) -> str:
        """`win`, `draw` or `loss`: the result of a game for the player."""
        winner = self.winners[number]
        return "draw" if winner == DRAW else "win" if winner == self.seats[number] else "loss"

    def as_json(self) -> dict[str, Any]:
        """The match as `--json` writes it: rates with intervals, settings, and all games."""

        def counted(count: int) -> dict[str, Any]:
            return {"count": count, "rate": count / self.games, "interval_95": wilson(count, self.games)}

        def of_seats(as_first: int, as_second: int) -> dict[str, Any]:
            return counted(as_first + as_second) | {"as_first": as_first, "as_second": as_second}

        return {
            "env_id": self.game.env_id,
            "player": self.player,
            "opponent": self.opponent,
            "seed": self.seed,
            "games_played": self.games,
            "different_games": self.different_games,
            "wins": of_seats(self.wins(FIRST), self.wins(SECOND)),
            "draws": counted(self.draws),
            "losses": of_seats(self.losses(SECOND), self.losses(FIRST)),  # by the player's seat, like the wins
            "score": {"rate": self.score, "interval_95": self.score_interval},
            "average_length": self.average_length,
            "openings": self.openings or [],
            "games": [
                {
                    "seat": int(self.seats[number]),
                    "opening": self.opening(number),
                    "moves": moves,
                    "winner": int(self.winners[number]),
                    "result": self.result(number),
                }
                | ({"resigned": True} if number in self.resigned else {})
                for number, moves in enumerate(self.moves)
            ],
        }

    def as_evaluation(self, step: int | None) -> dict[str, Any]:
        """The match as an entry of stats.json's `eval_history`."""
        return {
            "step": step,
            "opponent": self.opponent.lower(),
            "win_rate": self.win_rate,
            "draw_rate": self.draws / self.games,
            "loss_rate": self.loss_rate,
            "win_interval_95": wilson(self.wins(FIRST) + self.wins(SECOND), self.games),
            "games_played": self.games,
            "timestamp": int(time.time()),
        }


def play_match(
    env_id: str, player: Player, opponent: Player, games: int, seed: int, openings: list[list[int]] | None = None
) -> Match:
    """Play all games side by side. Game n draws its random numbers only from (seed, n).

    Without openings, the player moves first in the first half of the games (rounded up). With openings, the player moves
    first in every second game, and each two consecutive games share an opening. A game that outlasts `max_plies` is a draw.
    """
    generators = [np.random.default_rng([seed, number]) for number in range(games)]
    positions = Positions(env_id, games)
    numbers = np.arange(games)
    seats = np.where(numbers % 2 == 0 if openings else numbers < (games + 1) // 2, FIRST, SECOND)
    moves: list[list[int]] = [[] for _ in range(games)]
    resigned, cut_off = np.zeros(games, np.bool_), np.zeros(games, np.bool_)
    if openings:
        for number in range(games):
            moves[number] += openings[number // 2 % len(openings)]
            positions.replay(number, moves[number])
    while (under_way := (positions.winner == OPEN) & ~resigned & ~cut_off).any():
        to_move = positions.mover
        for who, rows in (
            (player, np.flatnonzero(under_way & (to_move == seats))),
            (opponent, np.flatnonzero(under_way & (to_move != seats))),
        ):
            if len(rows):
                chosen = who.choose(
                    positions.of(positions.states[rows]),
                    [generators[row] for row in rows],
                    [moves[row] for row in rows],
                )
                resigned[rows[chosen == RESIGNS]] = True
                rows, chosen = rows[chosen != RESIGNS], chosen[chosen != RESIGNS]
                positions.play(rows, chosen)
                for row, action in zip(rows, chosen, strict=True):
                    moves[row].append(int(action))
                    cut_off[row] = len(moves[row]) >= positions.game.max_plies
    unfinished = (positions.winner == OPEN) & ~resigned
    if unfinished.any():
        warn_of_long_games(env_id)
    results = np.where(unfinished, DRAW, positions.winner)
    winners = np.where(resigned, opponent_of(positions.mover), results)
    gave_up = frozenset(np.flatnonzero(resigned).tolist())
    return Match(positions.game, player.name, opponent.name, seats, winners, moves, seed, openings, gave_up)


@cache
def warn_of_long_games(env_id: str) -> None:
    """Warn, once per game, that its games are cut off."""
    log.warning("%s", find_game(env_id).warning_of_long_games("they count as draws"))
