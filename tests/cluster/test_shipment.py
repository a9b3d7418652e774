"""Games survive the journey exactly, and a hub stores them as an actor would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kinds import every_kind
from lines_of_play import random_lines
from stored_rows import select
from unreliable import Reliable, hub_in, random_games

from trainer.actor.moves import ply_record
from trainer.actor.played import PlayedGame
from trainer.actor.sink import DatabaseSink
from trainer.cluster.remote_sink import RemoteSink
from trainer.cluster.shipment import SHIPMENT_PLIES, pack, shipments_of, unpack
from trainer.core.errors import ReplayError
from trainer.game_config import load_game_config
from trainer.games import ENV_IDS, game_of
from trainer.games.base import Game


def made_up(game: Game, generator: np.random.Generator, number: int) -> PlayedGame:
    """A game of random numbers, from all that each field can hold. Some policies have one entry, some as many as can be."""
    plies = int(generator.integers(1, 9))
    records = np.zeros(plies + 1, ply_record(game))
    records["state"] = generator.integers(0, 2**64, records["state"].shape, np.uint64)
    records["action"] = generator.integers(0, game.num_actions, plies + 1)
    records["value"] = generator.uniform(-1, 1, plies + 1)
    visits = np.zeros((plies, game.num_actions), np.float32)
    for row in visits:
        entries = generator.integers(1, game.most_moves + 1)
        row[generator.choice(game.num_actions, entries, replace=False)] = generator.dirichlet(np.ones(entries))
    visits[0, game.num_actions - 1] = 1e-40  # a number of less than full precision
    return PlayedGame(number, records, visits, int(generator.integers(0, 100)))


def of_random_moves(game: Game, count: int) -> list[PlayedGame]:
    """Games by the plain rules; each policy is uniform over the legal moves."""
    games = []
    for number, line in enumerate(random_lines(game.env_id, count)):
        records = np.zeros(len(line.positions), ply_record(game))
        records["state"] = [position.state for position in line.positions]
        records["action"][:-1] = line.actions
        visits = np.zeros((len(line.actions), game.num_actions), np.float32)
        for row, position in zip(visits, line.positions[:-1], strict=True):
            row[position.legal] = 1 / len(position.legal)
        games.append(PlayedGame(number, records, visits))
    return games


def require_same(one: PlayedGame, other: PlayedGame) -> None:
    """Fail unless all that a game has is the same, bit for bit."""
    assert (one.number, one.first_ply) == (other.number, other.first_ply)
    for name in ("states", "actions", "values", "visits"):
        ours, theirs = getattr(one, name), getattr(other, name)
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), name
        assert ours.tobytes() == theirs.tobytes(), name


@pytest.mark.parametrize("env_id", [*ENV_IDS, "hex:size=19", "go:size=19"])
def test_games_arrive_as_they_were_sent(env_id: str) -> None:
    """Every game of the package, and those with the most actions; with numbers at the ends of what fits."""
    game, generator = game_of(env_id), np.random.default_rng(3)
    games = [made_up(game, generator, number) for number in (0, 1, 2**40, 7)]
    for one, other in zip(games, unpack(pack(games, game), game), strict=True):
        require_same(one, other)


@every_kind
def test_a_hub_stores_what_an_actor_stores(tmp_path: Path, env_id: str) -> None:
    """The same rows, but for the part of the ids that differs by process."""
    games = random_games(env_id, 8)
    (tmp_path / "hub").mkdir()
    hub = hub_in(tmp_path / "hub", env_id)
    RemoteSink(Reliable(hub), "a", game_of(env_id), 0).store(games)
    hub.close()
    path = tmp_path / "replay.db"
    sink = DatabaseSink(path, load_game_config(env_id, path), None, tmp_path / "stats.json", "a")
    sink.store(games)
    sink.close()
    columns = (
        "substr(episode_id, 1, 16), env_id, step_number, state, action, next_state, observation, next_observation, "
        "reward, done, policy_probs, mcts_value, game_outcome"
    )
    query = f"SELECT {columns} FROM transitions ORDER BY rowid"
    rows = select(path, query)
    assert len(rows) == sum(len(game.actions) for game in games)
    assert select(tmp_path / "hub" / "replay.db", query) == rows
    metadata = "SELECT env_id, num_actions, obs_size FROM game_metadata"
    assert select(tmp_path / "hub" / "replay.db", metadata) == select(path, metadata)


def test_a_row_takes_few_bytes() -> None:
    """Per position: at most 72 for Connect 4, and 150 for Othello, whose policies would take 260 if zeros were sent."""
    for env_id, most in (("connect4", 72), ("othello", 150)):
        games = of_random_moves(game_of(env_id), 8)
        assert len(pack(games, game_of(env_id))) < most * sum(len(game.actions) + 1 for game in games)


def test_other_bytes_are_refused() -> None:
    """Cut short, with something behind, of another game, or with changed counts: never an array of nonsense."""
    game, generator = game_of("tictactoe"), np.random.default_rng(3)
    content = pack([made_up(game, generator, number) for number in range(3)], game)
    for end in range(len(content)):
        with pytest.raises(ReplayError):
            unpack(content[:end], game)
    with pytest.raises(ReplayError):
        unpack(content + b"\0", game)
    with pytest.raises(ReplayError):
        unpack(content, game_of("connect4"))
    for at in range(24):
        for change in (1, 0x80):
            changed = bytearray(content)
            changed[at] ^= change
            with pytest.raises(ReplayError):
                unpack(bytes(changed), game)


def test_a_shipment_has_a_largest_size() -> None:
    """All games are in one of the parts, in order; each part but the last is just full."""
    game = random_games("tictactoe", 64)[0]
    games = [replace(game, number=number) for number in range(3 * SHIPMENT_PLIES // len(game.actions))]
    parts = list(shipments_of(games))
    assert [one.number for part in parts for one in part] == list(range(len(games)))
    for part in parts[:-1]:
        assert SHIPMENT_PLIES <= len(part) * len(game.actions) < SHIPMENT_PLIES + len(game.actions)
    assert list(shipments_of([])) == []
