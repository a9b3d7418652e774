"""Rows from inside the searches of self-play."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kinds import every_kind
from numpy.typing import NDArray
from play import finished
from predictable import arbitrary
from stored_rows import select

from trainer.actor.played import PlayedGame
from trainer.actor.selfplay import SelfPlay
from trainer.actor.sink import DatabaseSink
from trainer.game_config import load_game_config
from trainer.games import game_of
from trainer.games.base import OPEN, Mask, State
from trainer.games.positions import Positions
from trainer.replay import ReplayBuffer
from trainer.settings.groups.self_play import SelfPlaySettings
from trainer.web.runs.replay_file import ReplayFile

SETTINGS = SelfPlaySettings(simulations=60, tree_rows=True)


def played(env_id: str, settings: SelfPlaySettings, games: int = 6) -> dict[int, PlayedGame]:
    """Games by their numbers."""
    return finished(SelfPlay(env_id, games, iter(range(games)), 1, "actor-1", settings), arbitrary)


def below(env_id: str, state: State, depth: int) -> set[bytes]:
    """The positions that are `depth` moves after one."""
    positions = Positions(env_id, 1).of(state[None])
    for _ in range(depth):
        _, _, positions = positions.successors()
        positions = positions.of(np.unique(positions.states, axis=0))
    return {one.tobytes() for one in positions.states}


@every_kind
def test_they_are_positions_after_other_moves(env_id: str) -> None:
    """Each is after the position that was searched, isn't the one searched next, and has a policy of its own legal moves."""
    total = 0
    for game in played(env_id, SETTINGS).values():
        rows = game.tree_rows
        total += len(rows)
        positions = Positions(env_id, 0).of(rows.states)
        after = positions.of(rows.states.copy())
        after.play(np.arange(len(rows)), rows.actions.astype(np.int64))
        assert (after.states == rows.after).all()
        assert (positions.winner == OPEN).all()
        assert (after.winner == OPEN).all()
        assert (positions.legal() | (rows.visits == 0)).all()
        assert rows.visits.sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)
        assert (rows.visits[np.arange(len(rows)), rows.actions] == rows.visits.max(axis=1, initial=0)).all()
        assert (np.abs(rows.values) <= 1).all()
        assert (np.diff(rows.plies) > 0).all()
        for ply, depth, state in list(zip(rows.plies - game.first_ply, rows.depths, rows.states, strict=True))[:3]:
            assert state.tobytes() in below(env_id, game.states[ply], depth)
            assert state.tobytes() != game.states[ply + 1].tobytes()
    assert total > 6


def test_moves_that_are_proven_to_lose_are_no_target() -> None:
    """In tic-tac-toe a search sees at once that the answer to a move wins. Such a move has no share."""
    open_moves = 0
    for game in played("tictactoe", replace(SETTINGS, simulations=200), games=30).values():
        rows = game.tree_rows
        positions = Positions("tictactoe", 0).of(rows.states)
        chosen, actions = np.nonzero(rows.visits)
        after = positions.of(rows.states[chosen])
        after.play(np.arange(len(chosen)), actions)
        _, _, answers = after.of(after.states[after.winner == OPEN]).successors()
        assert (answers.winner != answers.mover).all()
        open_moves += len(answers.states)
    assert open_moves > 1000


def test_values_are_those_of_the_mover() -> None:
    """If the first player is thought to win everywhere, positions in which the second one moves are bad ones."""

    def first_wins(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        prior = legal / np.maximum(legal.sum(axis=1, keepdims=True), 1)
        return prior.astype(np.float32), np.where(observation[:, -2] > 0, 0.9, -0.9).astype(np.float32)

    env_id, seen = "connect4", set()
    settings = replace(SETTINGS, simulations=300)
    games = finished(SelfPlay(env_id, 4, iter(range(4)), 1, "actor-1", settings), first_wins)
    for game in games.values():
        early = game.tree_rows.plies < 4  # before anybody can win
        for mover, value in zip(game.tree_rows.states[early, 0], game.tree_rows.values[early], strict=True):
            assert value == pytest.approx(0.9 if mover == 1 else -0.9, abs=1e-4)
            seen.add(int(mover))
    assert seen == {1, 2}


def test_games_do_not_depend_on_them() -> None:
    """The same games, move by move, with and without."""
    without = played("tictactoe", replace(SETTINGS, tree_rows=False))
    for number, game in played("tictactoe", SETTINGS).items():
        other = without[number]
        assert not len(other.tree_rows)
        assert (game.plies["state"] == other.plies["state"]).all()
        assert (game.values == other.values).all()
        assert (game.visits == other.visits).all()


@pytest.mark.parametrize("env_id", ["tictactoe", "hex:size=4"])
def test_they_are_stored_for_training_alone(tmp_path: Path, env_id: str) -> None:
    """With the value of the search as outcome, and not as the end of a game: the page lists none of them."""
    path = tmp_path / "replay.db"
    config = load_game_config(env_id, path)
    sink = DatabaseSink(path, config, None, tmp_path / "stats.json", "a")
    games = list(played(env_id, SETTINGS).values())
    sink.store(games)
    first_free = sink.first_free_number()
    sink.close()
    columns = "episode_id, step_number, done, reward, mcts_value, game_outcome, id"
    stored = select(path, f"SELECT {columns} FROM transitions WHERE episode_id LIKE '%-tree-%'")
    values = [float(value) for game in games for value in game.tree_rows.values]
    steps = [int(step) for game in games for step in game.tree_rows.plies + game.tree_rows.depths]
    expected = [(step, 0, 0.0, value, value) for step, value in zip(steps, values, strict=True)]
    assert [tuple(row[1:6]) for row in stored] == expected
    assert len({row[0] for row in stored}) == len(stored) > 6
    assert [row[6] for row in stored] == [f"{row[0]}-step-{row[1]}" for row in stored]
    assert first_free == len(games)
    rows = sum(len(game.actions) + len(game.tree_rows) for game in games)
    replay = ReplayBuffer([path], config.metadata, config.views, 8, stamp=config.stamp)
    replay.refresh()
    assert len(replay) == rows
    assert replay.bad_rows == 0
    replay.close()
    listed, _ = ReplayFile(path).games(None, (0, 2**62), None)
    assert len(listed) == len(games)
    assert game_of(env_id).max_plies >= max(game.plies for game in listed)
