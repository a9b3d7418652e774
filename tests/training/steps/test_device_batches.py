"""Batches that are unpacked on a device equal those of the CPU, bit for bit."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import CloseLater
from episodes import TICTACTOE, episode
from lines_of_play import random_lines
from run_files import stored_game
from stored_rows import remove_policies

from trainer.game_config import load_game_config
from trainer.replay import ReplayBuffer, ReplayWriter
from trainer.training.steps.device_batches import Unpacker

CPU = torch.device("cpu")


def stored(path: Path, env_id: str, games: int = 6) -> Path:
    """A database with some games of random moves; every second row has no policy target."""
    game = load_game_config(env_id, path)
    episodes = [stored_game(env_id, line.actions, number) for number, line in enumerate(random_lines(env_id, games))]
    with closing(ReplayWriter(path, game.metadata, None, game.stored_rules)) as writer:
        writer.write(episodes)
    remove_policies(path)
    return path


def both(replay: ReplayBuffer, q_weight: float = 0.5) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each array of one batch as the CPU unpacks it, and as a device does."""
    ours = replay.sample(np.random.default_rng(3), 200, q_weight)
    packed = replay.sample_packed(np.random.default_rng(3), 200, q_weight)
    unpacker = Unpacker(replay.metadata, replay.symmetries, CPU)
    theirs = unpacker.unpack(*unpacker.sent(packed))
    return [(getattr(ours, name), getattr(theirs, name).numpy()) for name in theirs._fields]


@pytest.mark.parametrize("env_id", ["tictactoe", "breakthrough", "go:size=4"])
def test_they_are_the_rows_that_the_cpu_would_draw(env_id: str, tmp_path: Path, close_later: CloseLater) -> None:
    """Of a game of the contract, of one with packed rows, and of one with features; all with symmetries."""
    path = stored(tmp_path / "replay.db", env_id)
    game = load_game_config(env_id, path)
    replay = close_later(ReplayBuffer(path, game.metadata, game.symmetry_tables, stamp=game.stamp))
    replay.refresh()
    for ours, theirs in both(replay):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


def test_a_row_of_connect_4_is_sent_in_52_bytes(tmp_path: Path, close_later: CloseLater) -> None:
    """12 of bits, 28 of the policy, 4 of the value and 8 of the symmetry: an eighth of the 411 that it is unpacked."""
    path = stored(tmp_path / "replay.db", "connect4", 2)
    game = load_game_config("connect4", path)
    replay = close_later(ReplayBuffer(path, game.metadata, game.symmetry_tables))
    replay.refresh()
    packed = replay.sample_packed(np.random.default_rng(3), 10)
    unpacker = Unpacker(replay.metadata, replay.symmetries, CPU)
    sent = unpacker.sent(packed)
    assert [part.nbytes / 10 for part in sent] == [12, 28, 4, 8]
    assert sum(part.nbytes for part in unpacker.unpack(*sent)) / 10 == 411


def test_rows_with_other_numbers_than_0_and_1(tmp_path: Path, close_later: CloseLater) -> None:
    """They aren't packed."""
    path = tmp_path / "replay.db"
    one = episode("a-0", plies=5)
    with closing(ReplayWriter(path, TICTACTOE)) as writer:
        writer.write([replace(one, observations=np.where(one.observations > 0, 0.75, 0).astype(np.float32))])
    replay = close_later(ReplayBuffer(path, TICTACTOE))
    replay.refresh()
    for ours, theirs in both(replay, q_weight=0.0):
        np.testing.assert_array_equal(ours, theirs)


def test_several_databases_of_which_one_is_not_packed(tmp_path: Path, close_later: CloseLater) -> None:
    """Their rows come in the order in which they are drawn."""
    paths = [stored(tmp_path / "a.db", "tictactoe"), tmp_path / "b.db", stored(tmp_path / "c.db", "tictactoe", 3)]
    one = episode("b-0", plies=6)
    with closing(ReplayWriter(paths[1], TICTACTOE)) as writer:
        writer.write([replace(one, observations=one.observations * np.float32(0.75))])
    replay = close_later(ReplayBuffer(paths, TICTACTOE))
    replay.refresh()
    for ours, theirs in both(replay):
        np.testing.assert_array_equal(ours, theirs)
