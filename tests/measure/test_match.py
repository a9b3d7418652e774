"""Matches: seats, openings, results."""

from __future__ import annotations

import json
from dataclasses import replace

import endless
import numpy as np
import pytest
from predictable import FirstLegal
from registering import registered

from trainer.games import game_of
from trainer.games.base import DRAW, FIRST, SECOND
from trainer.games.positions import Positions
from trainer.games.solving.solvers import solver_of
from trainer.measure.intervals import score_interval
from trainer.measure.match import Match, play_match
from trainer.measure.openings import draw_openings
from trainer.players import MinimaxPlayer, PerfectPlayer, RandomPlayer


def test_without_openings_deterministic_players_play_only_two_games() -> None:
    """All 20 games from each seat are the same."""
    match = play_match("connect4", FirstLegal(), MinimaxPlayer("connect4", 1), 40, seed=0)
    assert (match.games, match.different_games) == (40, 2)
    assert match.seats.tolist() == [FIRST] * 20 + [SECOND] * 20


def test_matches_can_be_compared_and_counted() -> None:
    """Each is only itself; their arrays would have no one answer."""
    one, other = (play_match("tictactoe", FirstLegal(), FirstLegal(), 2, seed=0) for _ in range(2))
    assert one == one
    assert one != other
    assert len({one, other}) == 2


def test_a_match_shows_its_result() -> None:
    """On one line, as a notebook writes it: three of four games won, two from the first seat, and one drawn."""
    seats, winners = np.array([FIRST, FIRST, SECOND, SECOND]), np.array([FIRST, FIRST, SECOND, DRAW])
    match = Match(game_of("tictactoe"), "a", "b", seats, winners, [[0]] * 4, seed=0)
    low, high = (f"{100 * end:.1f}" for end in match.score_interval)
    assert repr(match) == f"a against b: 3 wins, 1 draws, 0 losses, score 87.5% ({low} to {high}%)"


def test_openings_make_every_game_different_and_are_played_from_both_seats() -> None:
    """Each two consecutive games share an opening, and the player has one seat in each."""
    openings = draw_openings("connect4", 40, seed=0)
    match = play_match("connect4", FirstLegal(), MinimaxPlayer("connect4", 1), 40, 0, openings)
    assert match.different_games == 40
    assert match.seats.tolist() == [FIRST, SECOND] * 20
    for number, moves in enumerate(match.moves):
        assert moves[: len(openings[0])] == openings[number // 2] == match.opening(number)


def test_with_an_odd_number_of_games_the_last_opening_is_played_once() -> None:
    """Five games are two openings from both seats and one from the first seat."""
    match = play_match("tictactoe", FirstLegal(), FirstLegal(), 5, 0, draw_openings("tictactoe", 5, seed=0))
    assert match.seats.tolist() == [FIRST, SECOND, FIRST, SECOND, FIRST]


def test_points_of_an_opening_are_together() -> None:
    """Of five games from two openings the last is alone, and so is each game without openings."""
    seats, winners = np.array([1, 2, 1, 2, 1]), np.array([1, 1, 3, 2, 2])
    moves: list[list[int]] = [[0]] * 5
    match = Match(game_of("tictactoe"), "A", "B", seats, winners, moves, 0, [[0], [1]])
    assert match.grouped_points == [[1, 0], [0.5, 1], [0]]
    assert replace(match, openings=None).grouped_points == [[1], [0], [0.5], [1], [0]]


def test_replaying_the_moves_gives_the_stated_winners() -> None:
    """The rules confirm the winner of each game, and so the player's results."""
    match = play_match("tictactoe", RandomPlayer(), PerfectPlayer(solver_of("tictactoe")), 60, seed=2)
    results = []
    for number, moves in enumerate(match.moves):
        positions = Positions("tictactoe", 1)
        positions.replay(0, moves)
        winner = int(positions.winner[0])
        assert winner == match.winners[number]
        results.append("draw" if winner == DRAW else "win" if winner == match.seats[number] else "loss")
    assert results == [match.result(number) for number in range(60)]
    assert results.count("win") == 0
    assert results.count("loss") == match.losses(FIRST) + match.losses(SECOND)
    assert match.score == pytest.approx(results.count("draw") / 120)


def test_games_that_outlast_their_promise_are_draws(caplog: pytest.LogCaptureFixture) -> None:
    """Otherwise two players who pass the turn to each other would never be done."""
    match = play_match(registered(endless), FirstLegal(), FirstLegal(), 4, seed=0)
    assert match.draws == 4
    assert [len(moves) for moves in match.moves] == [9] * 4
    assert "endless has games that are longer than its max_plies of 9; they count as draws" in caplog.text


def test_a_game_depends_only_on_the_seed_and_its_number() -> None:
    """A longer match starts with the games of a shorter one. Another seed gives other games."""
    openings = draw_openings("connect4", 20, seed=0)
    short = play_match("connect4", RandomPlayer(), RandomPlayer(), 4, 9, openings)
    long = play_match("connect4", RandomPlayer(), RandomPlayer(), 20, 9, openings)
    assert long.moves[:4] == short.moves
    assert play_match("connect4", RandomPlayer(), RandomPlayer(), 4, 8, openings).moves != short.moves


def test_the_json_has_rates_settings_and_games() -> None:
    """It has rates with intervals, the seed, the openings, and each game's moves and result."""
    match = Match(
        game_of("tictactoe"),
        "A",
        "B",
        np.array([1, 2, 1, 2]),
        np.array([1, 1, 3, 2]),
        [[0], [1], [2], [2]],
        5,
        [[0], [2]],
    )
    found = json.loads(json.dumps(match.as_json()))
    assert found["wins"] == {
        "count": 2,
        "rate": 0.5,
        "interval_95": pytest.approx([0.1500, 0.8500], abs=1e-4),
        "as_first": 1,
        "as_second": 1,
    }
    assert (found["losses"]["as_first"], found["losses"]["as_second"], found["draws"]["count"]) == (0, 1, 1)
    assert found["score"]["rate"] == 0.625
    assert found["score"]["interval_95"] == pytest.approx(score_interval([[1, 0], [0.5, 1]]))
    assert (found["seed"], found["openings"], found["different_games"]) == (5, [[0], [2]], 4)
    assert found["games"][1] == {"seat": 2, "opening": [0], "moves": [1], "winner": 1, "result": "loss"}
    assert [game["result"] for game in found["games"]] == ["win", "loss", "draw", "win"]
