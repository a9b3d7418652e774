"""The signs of self-play's training targets agree with a solver. They are read from the database, as a trainer does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray
from small_models import write_model
from stored_rows import select

from trainer.actor.actor import act
from trainer.games import rules_of
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.solving.solver import NOT_LEGAL, Scores
from trainer.games.solving.solvers import solver_of
from trainer.run.model_files import LATEST
from trainer.settings.actor import ActorConfig


@dataclass(frozen=True)
class Rows:
    """Rows that an actor wrote, with the solver's scores of their positions. N rows, A actions."""

    episode: NDArray[np.str_]
    """[N]"""
    scores: Scores
    """[N, A]"""
    action: NDArray[np.int64]
    policy: NDArray[np.float32]
    """[N, A]"""
    value: NDArray[np.float64]
    outcome: NDArray[np.float64]
    reward: NDArray[np.float64]
    done: NDArray[np.int64]

    @property
    def truth(self) -> NDArray[np.int8]:
        """[N] the result for the mover under best play: +1 win, 0 draw, -1 loss."""
        return np.sign(self.scores.max(axis=1))


def self_play(folder: Path, env_id: str, games: int, first_step: int) -> Rows:
    """Let an actor play with a uniform model, and read its rows from ply `first_step` on."""
    write_model(folder / "models" / LATEST, env_id)
    act(
        ActorConfig(
            env_id=env_id,
            replay_db_path=folder / "replay.db",
            data_dir=folder,
            max_episodes=games,
            simulations=100,
            games=32,
            seed=7,
        ),
        Event(),
    )
    columns = "episode_id, state, action, policy_probs, mcts_value, game_outcome, reward, done"
    rows = select(
        folder / "replay.db",
        f"SELECT {columns} FROM transitions WHERE step_number >= {first_step} ORDER BY episode_id, step_number",
    )
    rules = rules_of(env_id)
    episode, state, action, policy, value, outcome, reward, done = zip(*rows, strict=True)
    states = np.array([Position.from_bytes(rules, blob).state for blob in state])
    actions = rules.GAME.num_actions
    return Rows(
        np.array(episode),
        solver_of(env_id).scores(Positions(env_id, 0).of(states)),
        np.array([int.from_bytes(blob, "little") for blob in action]),
        np.array([np.zeros(actions) if blob is None else np.frombuffer(blob, "<f4") for blob in policy], np.float32),
        np.array(value),
        np.array(outcome),
        np.array(reward),
        np.array(done),
    )


@pytest.fixture(scope="module", params=["tictactoe", "connect4"])
def rows(request, tmp_path_factory) -> Rows:
    """All plies of tic-tac-toe; the last third of Connect 4 games, in which search solves many positions."""
    if request.param == "connect4":
        pytest.importorskip("bitbully")
        return self_play(tmp_path_factory.mktemp("connect4"), "connect4", games=32, first_step=24)
    return self_play(tmp_path_factory.mktemp("tictactoe"), "tictactoe", games=100, first_step=0)


def test_certain_values_are_the_solver_s(rows: Rows) -> None:
    """If `mcts_value` is +1 or -1, the solver agrees. Both signs occur."""
    certain = np.abs(rows.value) > 0.9999
    assert (rows.value[certain & (rows.truth > 0)] > 0).sum() > 20
    assert (rows.value[certain & (rows.truth < 0)] < 0).sum() > 5
    assert (np.sign(rows.value[certain]) == rows.truth[certain]).all()


def test_most_values_have_the_solver_s_sign(rows: Rows) -> None:
    """Uncertain values are right much more often than wrong, so their signs are not flipped."""
    decided = (rows.truth != 0) & (rows.value != 0)
    assert (np.sign(rows.value[decided]) == rows.truth[decided]).mean() > 0.75


def test_outcomes_are_the_solver_s_after_the_last_error(rows: Rows) -> None:
    """After the last error of a game, every row's `game_outcome` is the solver's result of its position."""
    chosen = rows.scores[np.arange(len(rows.action)), rows.action]
    error = np.sign(chosen) < rows.truth
    checked = 0
    for episode in np.unique(rows.episode):
        of_game = np.flatnonzero(rows.episode == episode)
        errors = np.flatnonzero(error[of_game])
        clean = of_game[errors[-1] + 1 if len(errors) else 0 :]
        assert (rows.outcome[clean] == rows.truth[clean]).all(), episode
        checked += len(clean)
    assert checked > 0.5 * len(rows.action)


def test_the_winning_move_is_rewarded(rows: Rows) -> None:
    """A last move that wins has reward +1 and outcome +1, and the solver calls it a win. Other moves have reward 0."""
    last = rows.done == 1
    assert set(rows.reward[~last]) <= {0.0}
    won = last & (rows.reward == 1)
    assert won.sum() > 5
    assert (rows.outcome[won] == 1).all()
    assert (rows.truth[won] == 1).all()
    assert (rows.outcome[last & ~won] == 0).all()


def test_policies_have_no_illegal_moves_and_no_moves_that_miss_a_certain_win(rows: Rows) -> None:
    """Illegal moves have no visits. If the win is certain, moves that don't win have none either."""
    with_policy = rows.policy.sum(axis=1) > 0
    assert (rows.policy[rows.scores == NOT_LEGAL] == 0).all()
    certain = with_policy & (rows.value > 0.9999)
    assert certain.sum() > 20
    assert (rows.policy[certain] * (rows.scores[certain] <= 0)).sum() == 0
