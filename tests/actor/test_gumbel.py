"""Gumbel searches in self-play, on numbers worked out by hand and by frequency."""

from __future__ import annotations

import math

import bonsai
import numpy as np
import pytest
from numpy.typing import NDArray
from play import finished
from registering import registered

from trainer.actor.played import PlayedGame
from trainer.actor.selfplay import SelfPlay
from trainer.evaluators.interface import Evaluate, FunctionEvaluator
from trainer.evaluators.uniform import uniform
from trainer.games import rules_of
from trainer.games.base import Mask
from trainer.games.position import Position
from trainer.search.search import halving
from trainer.settings.groups.self_play import SelfPlaySettings


@pytest.fixture
def known_bonsai() -> None:
    """The little game of `tests/support/games/bonsai.py` is known to this process."""
    registered(bonsai)


def opinion(values: dict[int, float], first: float) -> Evaluate:
    """The value of a bonsai's nodes for their mover (0), the same prior of the first action everywhere."""

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        nodes = observation[:, : bonsai.NODES].argmax(axis=1)
        prior = np.where(legal, [first, 1 - first], 0).astype(np.float32)
        return prior, np.array([values.get(int(node), 0) for node in nodes], np.float32)

    return evaluate


def games(
    env_id: str, evaluate: Evaluate, number: int, simulations: int, sampled_plies: int | None = None
) -> list[PlayedGame]:
    """Games of Gumbel searches."""
    config = SelfPlaySettings(simulations=simulations, gumbel=True, sampled_plies=sampled_plies)
    player = SelfPlay(env_id, 64, iter(range(number)), 1, "actor-1", config)
    return list(finished(player, evaluate).values())


@pytest.mark.parametrize(
    ("considered", "simulations", "visited_before"),
    [
        (4, 16, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),  # two phases of eight
        (3, 8, [0, 0, 0, 1, 1, 2, 2, 3]),  # three, then the better half of them, two at least
        (1, 4, [0, 1, 2, 3]),
        (4, 2, [0, 0]),
    ],
)
def test_halving_gives_every_phase_its_share(considered: int, simulations: int, visited_before: list[int]) -> None:
    """Each move of a phase is visited equally often, and each phase as long."""
    assert halving(considered, simulations) == visited_before


def test_searches_that_grow_share_out_what_they_have_now() -> None:
    """At the start of a run, halfway and at its end; seven moves are considered in Connect 4."""
    player = SelfPlay(
        "connect4", 2, iter(range(2)), 1, "a", SelfPlaySettings(simulations=300, first_simulations=16, gumbel=True)
    )
    for progress, simulations in ((0.0, 16), (0.5, 158), (1.0, 300)):
        player.step(FunctionEvaluator(uniform, progress=progress))
        assert player.search.selection.halving[7, :simulations].tolist() == halving(7, simulations)


@pytest.mark.usefixtures("known_bonsai")
def test_the_target_is_the_improved_policy() -> None:
    """Both moves are visited once: Q is -0.5 and +0.2, sigma (50 + 1) 0.1 = 5.1, the logits ln P + 5.1 Q."""
    improved = np.array([0.75 * math.exp(-5.1 * 0.5), 0.25 * math.exp(5.1 * 0.2)])
    improved /= improved.sum()
    for game in games("bonsai", opinion({1: 0.5, 2: -0.2}, 0.75), 4, 2):
        assert game.visits[0] == pytest.approx(improved, rel=1e-5)
        assert game.values[0] == pytest.approx(improved @ [-0.5, 0.2], rel=1e-5)


@pytest.mark.usefixtures("known_bonsai")
def test_where_all_is_alike_moves_are_drawn_from_the_prior() -> None:
    """The largest of g + log P is a draw from P: 3,000 of 4,000 first moves, give or take three standard deviations."""
    played = games("bonsai", opinion({}, 0.75), 4000, 4)
    assert all(game.visits[0] == pytest.approx([0.75, 0.25]) for game in played)
    assert abs(sum(game.actions[0] == 0 for game in played) - 3000) < 3 * math.sqrt(4000 * 0.75 * 0.25)


@pytest.mark.parametrize(("sampled_plies", "different"), [(0, 1), (1, 7)])
def test_moves_are_drawn_as_long_as_they_are_sampled(sampled_plies: int, different: int) -> None:
    """The first of seven columns is a draw from the uniform prior; what follows is the same wherever it was the same."""
    played = games("connect4", uniform, 100, 16, sampled_plies)
    assert len({tuple(game.actions) for game in played}) == different


@pytest.mark.parametrize("env_id", ["tictactoe", "connect4"])
def test_a_move_that_wins_is_the_target_and_is_made(env_id: str) -> None:
    """In every position of self-play where there is one."""
    seen = 0
    for game in games(env_id, uniform, 80, 16):
        for state, policy, value, action in zip(game.states, game.visits, game.values, game.actions, strict=False):
            position = Position(rules_of(env_id), state)
            winning = [move for move in position.legal if position.play(move).winner == position.mover]
            assert policy.sum() == pytest.approx(1)
            if winning:
                seen += 1
                assert action in winning
                assert set(np.flatnonzero(policy)) <= set(winning)
                assert value == 1
    assert seen > 30
