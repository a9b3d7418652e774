"""Self-play: what is recorded of a game, and what decides it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import endless
import numpy as np
import pytest
from kinds import every_kind
from numpy.typing import NDArray
from play import finished
from registering import registered
from small_models import linear_model

from trainer.actor.moves import ply_record
from trainer.actor.played import PlayedGame, outcomes_of
from trainer.actor.selfplay import SelfPlay
from trainer.evaluators.interface import Evaluate
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.evaluators.uniform import uniform
from trainer.games import game_of, rules_of
from trainer.games.base import DRAW, FIRST, MOVER, SECOND, Mask
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.settings.groups.self_play import SelfPlaySettings

FEW = SelfPlaySettings(simulations=12, cache=0)


def played(
    env_id: str,
    numbers: Iterable[int],
    evaluate: Evaluate | None,
    *,
    slots: int = 8,
    seed: int = 1,
    actor_id: str = "actor-1",
    config: SelfPlaySettings = FEW,
) -> dict[int, PlayedGame]:
    """Games played to their ends."""
    return finished(SelfPlay(env_id, slots, iter(numbers), seed, actor_id, config), evaluate)


def row_by_row(model: Evaluate) -> Evaluate:
    """The same model, asked for one position at a time, so that its answers do not depend on the batch."""

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows = [model(observation[row : row + 1], legal[row : row + 1]) for row in range(len(legal))]
        return np.concatenate([prior for prior, _ in rows]), np.concatenate([value for _, value in rows])

    return evaluate


def some_model(env_id: str) -> Evaluate:
    """An ONNX model with weights out of the blue; the value is whether the first player has a stone on cell 0."""
    game = game_of(env_id)
    weights = np.random.default_rng(5).normal(size=(game.obs_size, game.num_actions)).astype(np.float32)
    return row_by_row(OnnxEvaluator(linear_model(weights), "blue.onnx", env_id))


def assert_same(one: PlayedGame, other: PlayedGame) -> None:
    """Two games that are equal to the last bit."""
    for name in ("states", "actions", "visits", "values"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=f"game {one.number}: {name}")


@every_kind
def test_recorded_positions_follow_from_the_actions(env_id: str) -> None:
    """From the first position to a finished one, by legal moves only; as many visits and values as actions."""
    for game in played(env_id, range(6), uniform).values():
        position = Position.first(rules_of(env_id))
        for state, action in zip(game.states, game.actions, strict=False):
            assert state.tolist() == position.state.tolist()
            assert action in position.legal
            position = position.play(int(action))
        assert game.states[-1].tolist() == position.state.tolist()
        assert position.winner == game.winner != 0
        assert len(game.states) - 1 == len(game.actions) == len(game.visits) == len(game.values)


@every_kind
@pytest.mark.parametrize("evaluate", [uniform, None], ids=["search", "random play"])
def test_recorded_visits_are_a_policy_over_legal_moves(env_id: str, evaluate: Evaluate | None) -> None:
    """They sum to 1, are zero where not legal, and the move that was made has some; values of searches are in [-1, 1]."""
    for game in played(env_id, range(6), evaluate).values():
        legal = Positions(env_id, 0).of(game.states[:-1]).legal()
        assert not game.visits[~legal].any()
        np.testing.assert_allclose(game.visits.sum(axis=1), 1, rtol=1e-5)
        assert (game.visits[np.arange(len(game.actions)), game.actions] > 0).all()
        assert evaluate is None or (np.abs(game.values) <= 1).all()


@every_kind
def test_random_play_records_the_uniform_policy_and_no_value(env_id: str) -> None:
    """Without a model every legal move is alike, and no search has found a value."""
    for game in played(env_id, range(6), None).values():
        legal = Positions(env_id, 0).of(game.states[:-1]).legal()
        np.testing.assert_allclose(game.visits, legal / legal.sum(axis=1, keepdims=True), rtol=1e-6)
        assert np.isnan(game.values).all()


def test_random_play_draws_every_legal_move_alike() -> None:
    """4,500 first moves of tic-tac-toe: 500 on each cell but for chance (a deviation of 21; 100 would be a miracle)."""
    games = played("tictactoe", range(4500), None, slots=500)
    counts = np.bincount([game.actions[0] for game in games.values()], minlength=9)
    assert np.abs(counts - 500).max() < 100


@every_kind
def test_outcomes_are_the_movers(env_id: str) -> None:
    """+1 in the rows of the player who won, -1 in the other's, 0 in a draw."""
    games = played(env_id, range(60), None, slots=20)
    assert {FIRST, SECOND} <= {game.winner for game in games.values()}
    for game in games.values():
        for state, outcome in zip(game.states, outcomes_of(game.states[:-1], game.winner), strict=False):
            mover = Position(rules_of(env_id), state).mover
            assert outcome == (0 if game.winner == DRAW else 1 if game.winner == mover else -1)


def test_outcomes_of_games_played_by_hand() -> None:
    """X wins in five plies, O wins in six, a draw in nine."""

    def outcomes(actions: Sequence[int]) -> list[float]:
        positions = Positions("tictactoe", len(actions) + 1)
        for ply in range(len(actions)):
            positions.replay(ply + 1, actions[: ply + 1])
        plies = np.zeros(len(actions) + 1, ply_record(positions.game))
        plies["state"] = positions.states
        game = PlayedGame(0, plies, plies["visits"][:-1])
        return outcomes_of(game.states[:-1], game.winner).tolist()

    assert outcomes([0, 3, 1, 4, 2]) == [1, -1, 1, -1, 1]
    assert outcomes([0, 3, 1, 4, 8, 5]) == [-1, 1, -1, 1, -1, 1]
    assert outcomes([4, 0, 2, 6, 3, 5, 1, 7, 8]) == [0] * 9


def test_the_value_of_a_winning_move_is_the_movers() -> None:
    """The last mover of a decided game had a proven win before the last move, whoever that was."""
    config = SelfPlaySettings(simulations=60)
    games = played("tictactoe", range(30), uniform, config=config).values()
    decided = [game for game in games if game.winner != DRAW]
    assert decided
    assert all(game.values[-1] == 1 and outcomes_of(game.states[:-1], game.winner)[-1] == 1 for game in decided)


# --- What decides a game ---


@every_kind
def test_games_depend_on_seed_actor_and_number_alone(env_id: str) -> None:
    """The same games one at a time, side by side, in another order, or without the others."""
    model = some_model(env_id)
    games = played(env_id, range(10), model)
    assert sorted(games) == list(range(10))
    variants = [
        played(env_id, range(10), model),
        played(env_id, range(10), model, slots=3),
        played(env_id, reversed(range(10)), model, slots=16),
        played(env_id, [7], model, slots=1),
    ]
    for variant in variants:
        for number, game in variant.items():
            assert_same(game, games[number])


@pytest.mark.parametrize("evaluate", [uniform, None], ids=["search", "random play"])
@pytest.mark.parametrize("other", [{"seed": 2}, {"actor_id": "actor-2"}, {"numbers": range(10, 20)}], ids=str)
def test_another_seed_actor_or_number_makes_other_games(evaluate: Evaluate | None, other: dict[str, object]) -> None:
    """Ten games of Connect 4 are not those ten again, nor any of them."""
    arguments = {"numbers": range(10), "evaluate": evaluate}

    def moves(**changed: object) -> set[tuple[int, ...]]:
        return {tuple(game.actions) for game in played("connect4", **(arguments | changed)).values()}  # type: ignore

    assert len(moves()) == 10
    assert not moves() & moves(**other)


def test_the_model_decides_too() -> None:
    """Another evaluator, the same random numbers: other games."""
    games, others = played("connect4", range(5), uniform), played("connect4", range(5), some_model("connect4"))
    assert all(games[number].actions.tolist() != others[number].actions.tolist() for number in range(5))


# --- How moves are made ---


def test_the_first_plies_are_drawn_by_their_visits_and_later_ones_are_the_most_visited() -> None:
    """With three sampled plies: up to there other moves than the most visited occur, from there on none."""
    config = SelfPlaySettings(simulations=12, sampled_plies=3)
    games = played("connect4", range(40), uniform, config=config).values()
    greedy = [game.visits.argmax(axis=1) == game.actions for game in games]
    for ply in range(3):
        assert not all(game[ply] for game in greedy)
    assert all(game[3:].all() for game in greedy)


def test_no_sampled_plies_make_every_move_the_most_visited() -> None:
    """0 is a number of plies, not the default."""
    config = SelfPlaySettings(simulations=12, sampled_plies=0)
    for game in played("connect4", range(10), uniform, config=config).values():
        assert game.visits.argmax(axis=1).tolist() == game.actions.tolist()


def test_a_quarter_of_the_cells_are_sampled_by_default() -> None:
    """Connect 4 has 42 cells: the first 10 plies."""
    games = played("connect4", range(200), uniform, slots=100, config=SelfPlaySettings(simulations=4)).values()
    drawn = [np.flatnonzero(game.visits.argmax(axis=1) != game.actions) for game in games]
    assert max(plies.max(initial=0) for plies in drawn) == 9


def test_sampled_moves_are_drawn_in_proportion_to_their_visits() -> None:
    """The first moves of 2,000 games: each is made as often as its visits say, but for chance."""
    config = SelfPlaySettings(simulations=8, sampled_plies=1)
    games = played("tictactoe", range(2000), uniform, slots=250, config=config).values()
    made = np.bincount([game.actions[0] for game in games], minlength=9)
    expected = sum(game.visits[0] for game in games)
    assert np.abs(made - expected).max() < 60  # a standard deviation is at most 14


def test_noise_makes_the_first_search_of_each_game_another() -> None:
    """Without noise every game starts from the same visits; with it they differ."""

    def first_visits(noise: float) -> set[tuple[float, ...]]:
        games = played("connect4", range(12), uniform, config=replace(FEW, noise_fraction=noise))
        return {tuple(game.visits[0].tolist()) for game in games.values()}

    assert len(first_visits(0.0)) == 1
    assert len(first_visits(0.5)) > 6


def test_a_small_alpha_puts_nearly_all_noise_on_one_move() -> None:
    """With noise alone as prior, seven moves and values that are all 0, the visits are the shares of the noise."""

    def largest_share(alpha: float) -> float:
        settings = replace(FEW, simulations=100, noise_fraction=1.0, noise_alpha=alpha)
        games = played("connect4", range(12), uniform, config=settings)
        return float(np.median([game.visits[0].max() for game in games.values()]))

    assert largest_share(100.0) < 0.25
    assert largest_share(0.01) > 0.9


def test_a_game_that_outlasts_its_promise_is_a_draw_and_marked() -> None:
    """The player of its last state is the one who moved last, as in every finished game."""
    games = played(registered(endless), range(3), uniform).values()
    for game in games:
        assert (len(game.actions), game.winner, game.cut_off) == (9, DRAW, True)
        assert game.states[-1, MOVER] == game.states[-2, MOVER]
    assert not any(game.cut_off for game in played("tictactoe", range(20), uniform).values())


# --- Slots ---


def test_every_number_is_played_once_and_then_the_player_is_idle() -> None:
    """Also when there are more slots than games."""
    player = SelfPlay("tictactoe", 8, iter([3, 5, 4]), 1, "actor-1", FEW)
    assert not player.idle
    assert sorted(finished(player, uniform)) == [3, 4, 5]
    assert player.idle
    assert player.step(uniform) == []


def test_games_that_take_too_long_are_given_up_and_the_slot_plays_the_next() -> None:
    """The others go on; a game after one that was given up is played as if that had never been."""
    player = SelfPlay("connect4", 2, iter(range(4)), 1, "actor-1", FEW)
    for _ in range(20):
        player.step(uniform)
    assert player.give_up(3600) == []
    player.excuse(3600)
    assert player.give_up(0) == [], "an hour in which nobody played doesn't count"
    player.excuse(-3600)
    assert player.give_up(0) == [0, 1]
    games = finished(player, uniform)
    undisturbed = played("connect4", range(4), uniform)
    assert sorted(games) == [2, 3]
    for number in (2, 3):
        assert_same(games[number], undisturbed[number])


def test_a_model_that_arrives_takes_over_from_random_play() -> None:
    """Games after that are searched, and are the same as if there had always been a model."""
    player = SelfPlay("tictactoe", 2, iter(range(4)), 1, "actor-1", FEW)
    at_random = {game.number for game in player.play_randomly()}
    assert at_random == {0, 1}
    searched = finished(player, uniform)
    undisturbed = played("tictactoe", range(4), uniform)
    assert sorted(searched) == [2, 3]
    for number in (2, 3):
        assert_same(searched[number], undisturbed[number])


def test_simulations_rise_with_the_progress_of_the_run() -> None:
    """From 4 at its beginning by way of 22 to 40 at its end; visits are shares of so many."""
    for progress, simulations in ((0.0, 4), (0.5, 22), (1.0, 40)):
        games = SelfPlay("connect4", 4, iter(range(4)), 0, "a", SelfPlaySettings(simulations=40, first_simulations=4))
        for game in finished(games, uniform, progress).values():
            counts = game.visits[:4] * simulations  # later a move may be proven lost, and gets no share
            np.testing.assert_allclose(counts, np.round(counts), atol=1e-4)


@pytest.mark.parametrize(
    ("fewest", "most", "lengths"),
    [
        (0, None, range(5)),
        (0, 1, range(2)),
        (0, 9, range(9)),
        (3, 6, range(3, 7)),
        (5, None, range(4, 5)),
        (None, 2, range(3)),
    ],
)
def test_random_openings_are_not_recorded_and_leave_the_last_move_to_the_search(
    fewest: int | None, most: int | None, lengths: range
) -> None:
    """All games begin at random, with up to half of the moves of an ordinary game, or as many and as few as asked for."""
    config = SelfPlaySettings(simulations=10, random_openings=1.0, fewest_random_plies=fewest, random_plies=most)
    games = SelfPlay("tictactoe", 16, iter(range(64)), 0, "a", config)
    played = finished(games, uniform).values()
    assert {game.first_ply for game in played} == set(lengths)
    for game in played:
        assert len(game.actions) > 0
        stones = Positions("tictactoe", 0).of(game.states).observation()[:, :18].sum(axis=1)
        assert stones.tolist() == list(range(game.first_ply, game.first_ply + len(game.states)))
