"""Rows of games with many actions are stored packed, and come back as they were."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CloseLater, ForeignDatabase, floats
from episodes import TICTACTOE, episode
from stored_rows import remove_policies

import trainer
from trainer.core.errors import ReplayError
from trainer.game_config import load_game_config
from trainer.games import game_of
from trainer.replay import ReplayBuffer, ReplayWriter
from trainer.replay.packing import packed_policies, unpacked_policies

PACKED = replace(TICTACTOE, packed_moves=9)


def test_policies_come_back() -> None:
    """Of positions with any number of legal moves, none included."""
    generator = np.random.default_rng(0)
    legal = generator.random((50, 20)) < generator.random((50, 1)) * 0.5
    legal[:, 15:] = False
    legal[0] = False
    visits = (generator.random((50, 20)) * legal).astype(np.float32)
    packed = packed_policies(visits, legal, 15)
    assert packed.shape == (50, 15)
    np.testing.assert_array_equal(unpacked_policies(packed, legal), visits)


def test_packed_rows_are_the_rows(tmp_path: Path, close_later: CloseLater) -> None:
    """Batches of a packed database equal those of an ordinary one; its blobs are small."""
    batches = []
    for name, metadata in (("plain", TICTACTOE), ("packed", PACKED)):
        path = tmp_path / f"{name}.db"
        with closing(ReplayWriter(path, metadata)) as writer:
            writer.write([episode("a-0", plies=5), episode("b-1", plies=3)])
        remove_policies(path)
        replay = close_later(ReplayBuffer(path, metadata))
        assert replay.refresh() == 8
        batches.append(replay.sample(np.random.default_rng(1), 64))
    assert (batches[0].policy_target.sum(axis=1) == 0).any()
    for one, other in zip(vars(batches[0]).values(), vars(batches[1]).values(), strict=True):
        np.testing.assert_array_equal(one, other)
    with closing(sqlite3.connect(tmp_path / "packed.db")) as connection:
        sizes = "SELECT DISTINCT length(observation), length(next_observation), length(policy_probs) FROM transitions"
        assert set(connection.execute(sizes)) == {(4, 4, 36), (4, 4, None)}


def test_a_row_of_another_size_is_named(tmp_path: Path, close_later: CloseLater) -> None:
    """As in the ordinary form."""
    path = tmp_path / "replay.db"
    with closing(ReplayWriter(path, PACKED)) as writer:
        writer.write([episode()])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE transitions SET observation = x'00' WHERE step_number = 1")
        connection.commit()
    with pytest.raises(ReplayError, match=r"row a-0-step-1 of .*: observation is not 4 bytes"):
        close_later(ReplayBuffer(path, PACKED)).refresh()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("observation = x'ffffffff'", "its observation has too many legal moves"),
        ("observation = 'text'", "observation is not 4 bytes"),
        ("policy_probs = zeroblob(36)", "policy_probs has 9 entries"),
    ],
)
def test_damage_to_a_packed_row_is_named(change: str, says: str, tmp_path: Path, close_later: CloseLater) -> None:
    """Of a game in which at most five moves are legal."""
    five, game, path = replace(TICTACTOE, packed_moves=5), episode(), tmp_path / "replay.db"
    seen = game.observations.copy()
    legal = slice(TICTACTOE.legal_mask_offset, TICTACTOE.legal_mask_offset + 9)
    seen[:, legal] = [0, 0, 0, 0, 1, 1, 0, 0, 0]
    with closing(ReplayWriter(path, five)) as writer:
        writer.write([replace(game, observations=seen)])
    assert close_later(ReplayBuffer(path, five)).refresh() == 2
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE transitions SET {change} WHERE step_number = 1")
        connection.commit()
    with pytest.raises(ReplayError, match=f"row a-0-step-1 of .*{says}"):
        close_later(ReplayBuffer(path, five)).refresh()


@pytest.mark.parametrize("env_id", ["go", "minichess"])
def test_games_from_elsewhere_are_packed_as_the_page_says(
    env_id: str, foreign: Callable[..., ForeignDatabase], close_later: CloseLater
) -> None:
    """docs/formats.md, "Games from elsewhere": here by another program, with the public functions alone."""
    database, moves, played = foreign(env_id), trainer.game_of(env_id).packed_moves, []
    position = trainer.new_position(env_id)
    for number in range(6):
        action = position.legal[number * len(position.legal) // 6]
        policy = [float(legal == action) for legal in position.legal]
        database.add(
            np.packbits(position.observation > 0).tobytes(), floats(*policy, *[0.0] * (moves - len(policy))), 1.0, None
        )
        played.append((position.observation, action))
        position = position.play(action)
    database.connection.commit()
    replay = close_later(ReplayBuffer(database.path, load_game_config(env_id, database.path).metadata))
    assert replay.refresh() == 6
    batch = replay.sample(np.random.default_rng(0), 50)
    for observation, policy in zip(batch.observation, batch.policy_target, strict=True):
        (action,) = [action for seen, action in played if np.array_equal(seen, observation)]
        np.testing.assert_array_equal(policy, np.eye(len(policy))[action])


def test_the_games_of_the_contract_are_not_packed() -> None:
    """Other programs read their rows."""
    assert not any(game_of(env_id).packed_moves for env_id in ("tictactoe", "connect4", "othello"))
