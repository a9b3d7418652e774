"""A game with more legal moves than its `max_moves`: compiled code stays within its memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from planting import planted

from trainer.actor.selfplay import SelfPlay
from trainer.check.bounds import bounds_checked
from trainer.evaluators.uniform import uniform
from trainer.games import find_game, rules_of
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.solving.exhaustive import ExhaustiveSolver
from trainer.games.solving.solver import NOT_LEGAL
from trainer.players.rollouts import RolloutPlayer
from trainer.search import Search, SearchConfig
from trainer.settings.groups.self_play import SelfPlaySettings

LIST = (
    "def legal(state: State, mask: Mask) -> None:",
    """def moves(state, found):
    count = 0
    for action in range(9):
        taken = (state[STONES] | state[STONES + 1]) >> np.uint64(action) & ONE
        if state[WINNER] == OPEN and taken == 0:
            found[count] = action
            count += 1
    return count


def unused(state: State, mask: Mask) -> None:""",
)
MOST = 2


@pytest.fixture(params=["legal", "moves"])
def game(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Tic-tac-toe that promises two legal moves, with a mask or a list of moves; an index out of bounds raises."""
    changes = [("    max_plies=9,", f"    max_plies=9,\n    max_moves={MOST},"), LIST]
    with bounds_checked():
        found = find_game(
            planted(tmp_path, "tictactoe", *changes[: 1 + (request.param == "moves")], name=request.param)
        )
        assert found.game.few_legal
        yield found.game.env_id


def test_only_the_first_moves_are_legal(game: str) -> None:
    """In compiled and in uncompiled rules."""
    assert np.flatnonzero(Positions(game, 1).legal()[0]).tolist() == [0, 1]
    assert Position.first(rules_of(game)).play(0).legal == [1, 2]


def test_a_search_stays_within_its_tree(game: str) -> None:
    """With a cache, and to the end of the game."""
    first = Positions(game, 3)
    visits, _ = Search(game, 3, 200, SearchConfig(cache=64)).run(first.states, 200, uniform)
    assert (visits[:, :MOST].sum(axis=1) > 0.99).all()
    assert (visits[:, MOST:] == 0).all()


@pytest.mark.parametrize("random", [False, True])
def test_self_play_stays_within_its_records(random: bool, game: str) -> None:
    """All policy targets are those of the first moves."""
    player = SelfPlay(game, 2, iter(range(4)), 0, "actor", SelfPlaySettings(simulations=10, random_openings=0.5))
    played = []
    while len(played) < 4:
        played += player.play_randomly() if random else player.step(uniform)
    assert all((np.count_nonzero(one.visits, axis=1) <= MOST).all() for one in played)


def test_rollouts_and_a_solver_know_the_first_moves(game: str) -> None:
    """They choose one, and score no other."""
    first = Positions(game, 5)
    chosen = RolloutPlayer(game, 50).choose(first, [np.random.default_rng(row) for row in range(5)])
    assert (chosen < MOST).all()
    assert np.flatnonzero(ExhaustiveSolver(game).scores(first)[0] != NOT_LEGAL).tolist() == [0, 1]
