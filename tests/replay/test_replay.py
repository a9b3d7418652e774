"""Stored games: the writer follows the contract, and the buffer returns what was written."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CENTRE, COLUMNS, EMPTY_BOARD, CloseLater, ForeignDatabase, floats
from episodes import TICTACTOE, episode
from run_files import store_games
from stored_rows import select

from trainer.core.errors import GameError, ReplayError
from trainer.game_config import load_game_config, metadata_of
from trainer.games import game_of
from trainer.replay import ROWID_SPAN, Batch, ReplayBuffer, ReplayWriter, SymmetryTables, count_rows
from trainer.replay import window as windows
from trainer.replay.reader import OLDEST

NAN = float("nan")


def test_a_written_game_is_what_the_contract_says(tmp_path: Path, close_later: CloseLater) -> None:
    """Every column of both rows of a two-ply game, read by plain sqlite3."""
    close_later(ReplayWriter(tmp_path / "replay.db", TICTACTOE)).write([episode()])
    connection = close_later(sqlite3.connect(tmp_path / "replay.db"))
    first, second = connection.execute("SELECT * FROM transitions ORDER BY step_number").fetchall()
    assert first[:4] == ("a-0-step-0", "tictactoe", "a-0", 0)
    assert second[:4] == ("a-0-step-1", "tictactoe", "a-0", 1)
    assert first[4:7] == (bytes(range(11)), b"\4\0\0\0", bytes(range(11, 22)))
    assert second[4:7] == (bytes(range(11, 22)), b"\5\0\0\0", bytes(range(22, 33)))
    assert first[7] == floats(1, *[0] * 17, *[1] * 9, 1, 0)
    assert first[8] == second[7] == floats(0, 1, *[0] * 16, *[1] * 9, 1, 0)
    assert second[8] == floats(0, 0, 1, *[0] * 15, *[1] * 9, 1, 0)
    assert first[9:11] == (0.0, 0)  # reward, done
    assert second[9:11] == (1.0, 1)  # the second mover has just won
    assert first[12:15] == (CENTRE, 0.25, -1.0)
    assert second[12:15] == (CENTRE, 0.5, 1.0)
    metadata = connection.execute("SELECT * FROM game_metadata").fetchone()
    assert metadata[:8] == ("tictactoe", "Tic-Tac-Toe", 3, 3, 9, 29, 18, 2)
    indexed = {
        connection.execute(f"PRAGMA index_info({row[1]})").fetchone()[2]
        for row in connection.execute("PRAGMA index_list(transitions)")
    }
    assert indexed == {"id", "timestamp", "episode_id"}


def test_the_tables_are_those_of_the_contract(tmp_path: Path, close_later: CloseLater) -> None:
    """Name, type, NOT NULL, default and place in the primary key of each column, in order."""
    close_later(ReplayWriter(tmp_path / "replay.db", TICTACTOE))
    columns = {
        table: [row[1:] for row in select(tmp_path / "replay.db", f"PRAGMA table_info({table})")]
        for table in ("transitions", "game_metadata")
    }
    assert columns["transitions"] == [
        ("id", "TEXT", 0, None, 1),
        ("env_id", "TEXT", 1, None, 0),
        ("episode_id", "TEXT", 1, None, 0),
        ("step_number", "INTEGER", 1, None, 0),
        ("state", "BLOB", 1, None, 0),
        ("action", "BLOB", 1, None, 0),
        ("next_state", "BLOB", 1, None, 0),
        ("observation", "BLOB", 1, None, 0),
        ("next_observation", "BLOB", 1, None, 0),
        ("reward", "REAL", 1, None, 0),
        ("done", "INTEGER", 1, None, 0),
        ("timestamp", "INTEGER", 1, None, 0),
        ("policy_probs", "BLOB", 0, None, 0),
        ("mcts_value", "REAL", 0, "0", 0),
        ("game_outcome", "REAL", 0, None, 0),
        ("created_at", "DATETIME", 0, "CURRENT_TIMESTAMP", 0),
    ]
    assert columns["game_metadata"] == [
        ("env_id", "TEXT", 0, None, 1),
        ("display_name", "TEXT", 0, None, 0),
        ("board_width", "INTEGER", 0, None, 0),
        ("board_height", "INTEGER", 0, None, 0),
        ("num_actions", "INTEGER", 0, None, 0),
        ("obs_size", "INTEGER", 0, None, 0),
        ("legal_mask_offset", "INTEGER", 0, None, 0),
        ("player_count", "INTEGER", 0, None, 0),
        ("updated_at", "DATETIME", 0, "CURRENT_TIMESTAMP", 0),
    ]


def test_games_stored_together_keep_their_rows_apart(tmp_path: Path, close_later: CloseLater) -> None:
    """600 games of one to five plies, some after openings, more than one statement stores; rows have their game's values."""
    games = [replace(episode(f"a-{at:03d}", 1 + at % 5), first_ply=at % 3) for at in range(600)]
    for at, game in enumerate(games):
        game.states[:, 0] = at % 251
        game.values[:] = np.float32(at / 700)
    close_later(ReplayWriter(tmp_path / "replay.db", TICTACTOE)).write(games)
    query = (
        "SELECT id, env_id, episode_id, step_number, state, action, next_state, observation, next_observation, "
        "reward, done, policy_probs, mcts_value, game_outcome FROM transitions ORDER BY rowid"
    )
    rows = select(tmp_path / "replay.db", query)
    expected = [
        (
            *(f"{game.episode_id}-step-{game.first_ply + ply}", "tictactoe", game.episode_id, game.first_ply + ply),
            *(game.states[ply].tobytes(), game.actions[ply].tobytes(), game.states[ply + 1].tobytes()),
            *(game.observations[ply].tobytes(), game.observations[ply + 1].tobytes()),
            *(float(game.outcomes[ply]) if ply == len(game) - 1 else 0.0, int(ply == len(game) - 1)),
            game.visits[ply].tobytes(),
            *(float(game.values[ply]), float(game.outcomes[ply])),
        )
        for game in games
        for ply in range(len(game))
    ]
    assert rows == expected


def test_a_failed_write_stores_nothing(tmp_path: Path, close_later: CloseLater) -> None:
    """The second game repeats an id, so the first one of that call isn't stored either."""
    writer = close_later(ReplayWriter(tmp_path / "replay.db", TICTACTOE))
    writer.write([episode("a-0")])
    with pytest.raises(ReplayError, match=r"replay\.db.*UNIQUE"):
        writer.write([episode("a-1"), episode("a-0")])
    writer.write([episode("a-2")])
    stored = select(tmp_path / "replay.db", "SELECT DISTINCT episode_id FROM transitions")
    assert stored == [("a-0",), ("a-2",)]


def test_sampled_rows_are_the_stored_rows(foreign: Callable[..., ForeignDatabase], close_later: CloseLater) -> None:
    """Three rows that differ in everything come back whole, never mixed."""
    database = foreign()
    rows = []
    for cell, outcome in ((0, 1.0), (4, 0.0), (8, -1.0)):
        planes = np.zeros(27)
        planes[[cell, 9 + (cell + 1) % 9]] = 1
        planes[18:] = 1
        planes[18 + cell] = 0
        policy = np.roll(np.eye(9)[cell], 1)
        rows.append((outcome, [*planes, 0, 1], policy))
        database.add(floats(*planes, 0, 1), floats(*policy), outcome)
    database.connection.commit()
    replay = close_later(ReplayBuffer(database.path, TICTACTOE))
    assert replay.refresh() == len(replay) == 3
    batch = replay.sample(np.random.default_rng(0), 64)
    assert set(batch.value_target) == {-1.0, 0.0, 1.0}
    for outcome, observation, policy in rows:
        for at in np.flatnonzero(batch.value_target == outcome):
            assert batch.observation[at].tolist() == observation
            assert batch.policy_target[at].tolist() == policy.tolist()
            assert batch.legal[at].tolist() == [value == 1 for value in observation[18:27]]


def test_observations_that_are_not_bits_come_back_exactly(
    foreign: Callable[..., ForeignDatabase], close_later: CloseLater
) -> None:
    """Another program's game may have fractions in its planes, even after rows of zeros and ones."""
    database = foreign()
    database.add_tictactoe(2)
    replay = close_later(ReplayBuffer(database.path, TICTACTOE))
    replay.refresh()
    fractions = floats(*[0.3] * 18, *[1] * 9, 0, 1)
    database.add_tictactoe(1, observation=fractions, outcome=-1.0)
    replay.refresh()
    batch = replay.sample(np.random.default_rng(0), 50)
    for outcome, stored in ((1.0, EMPTY_BOARD), (-1.0, fractions)):
        rows = batch.observation[batch.value_target == outcome]
        assert len(rows) > 0
        assert all(row.tobytes() == stored for row in rows)


def test_a_symmetry_moves_stones_legal_moves_and_policy_together(
    foreign: Callable[..., ForeignDatabase], close_later: CloseLater
) -> None:
    """Through all eight of them, a position's policy is on the only empty cell, and the seat flags don't move."""
    cells = np.array([1, 2, 1, 2, 1, 2, 2, 1, 0])
    database = foreign()
    planes = [*(cells == 1), *(cells == 2), *(cells == 0)]
    database.add(floats(*planes, 1, 0), floats(*(cells == 0)), 0.0)
    database.connection.commit()
    symmetries = load_game_config("tictactoe", database.path).symmetry_tables
    replay = close_later(ReplayBuffer(database.path, TICTACTOE, symmetries))
    replay.refresh()
    batch = replay.sample(np.random.default_rng(0), 200)
    assert (batch.policy_target == batch.observation[:, 18:27]).all()
    assert (batch.observation[:, :9] + batch.observation[:, 9:18] + batch.observation[:, 18:27] == 1).all()
    assert (batch.observation[:, 27:] == [1, 0]).all()
    corners = {int(row.argmax()) for row in batch.policy_target}
    assert corners == {0, 2, 6, 8}
    assert len({row.tobytes() for row in batch.observation}) == 8  # this board has no symmetry


@pytest.mark.parametrize(
    ("q_weight", "value", "target"),
    [(0, 0.2, -1), (0.25, 0.2, -0.7), (0.25, 1.0, 1.0), (0.25, None, -1), (1, 0.5, 0.5)],
)
def test_the_value_target_mixes_result_and_search_value(
    foreign: Callable[..., ForeignDatabase],
    q_weight: float,
    value: float | None,
    target: float,
    close_later: CloseLater,
) -> None:
    """z = -1: 0.75 * -1 + 0.25 * 0.2 = -0.7. A proven value (exactly 1) counts alone; without a value the result does."""
    database = foreign()
    database.add_tictactoe(1, outcome=-1.0, value=value)
    replay = close_later(ReplayBuffer(database.path, TICTACTOE))
    replay.refresh()
    batch = replay.sample(np.random.default_rng(0), 4, q_weight)
    assert batch.value_target == pytest.approx([target] * 4)


def test_rows_can_be_taken_by_their_numbers(tmp_path: Path, close_later: CloseLater) -> None:
    """Of two databases, as they are stored or through a symmetry; and it is known where each is stored."""
    for name, games in (("a", [[0, 3, 1, 4, 2]]), ("b", [[4, 0, 8, 1, 6, 2], [0, 3, 1, 4, 2]])):
        store_games(tmp_path / name, "tictactoe", games)
    paths = [tmp_path / name / "replay.db" for name in ("a", "b")]
    config = load_game_config("tictactoe", *paths)
    replay = close_later(ReplayBuffer(paths, config.metadata, config.symmetry_tables))
    assert replay.refresh() == len(replay) == 16
    at = np.array([15, 0, 5, 0])
    databases, rowids = replay.rowids(at)
    assert (databases.tolist(), rowids.tolist()) == ([1, 0, 1, 0], [11, 1, 1, 1])
    for number, rowid, row in zip(databases, rowids, replay.take(at, q_weight=1.0).observation, strict=True):
        with closing(sqlite3.connect(paths[number])) as connection:
            select = "SELECT observation FROM transitions WHERE rowid = ?"
            assert connection.execute(select, (int(rowid),)).fetchone()[0] == row.tobytes()
    plain, turned = (replay.take(np.array([6]), symmetry) for symmetry in (None, np.array([2])))
    assert plain.observation[0, 4] == turned.observation[0, 4] == 1  # the first move, in the centre
    np.testing.assert_array_equal(turned.policy_target[0], plain.policy_target[0][replay.symmetries.actions[2]])
    for wrong in ([16], [-1, 3]):
        with pytest.raises(IndexError, match="are asked for; there are rows 0 to 15"):
            replay.take(np.array(wrong))
        with pytest.raises(IndexError):
            replay.rowids(np.array(wrong))
    assert len(replay.take(np.array([], np.int64)).value_target) == 0
    for symmetry in (np.array([8]), np.array([-1]), np.array([0, 0])):
        with pytest.raises(IndexError, match="one symmetry from 0 to 7 is needed for each of 1 rows"):
            replay.take(np.array([0]), symmetry)


@pytest.mark.parametrize("merge_repeats", [False, True])
def test_an_empty_buffer_has_no_sample(tmp_path: Path, close_later: CloseLater, merge_repeats: bool) -> None:
    """The message says what is missing, also before the first refresh."""
    replay = close_later(ReplayBuffer(tmp_path / "replay.db", TICTACTOE, merge_repeats=merge_repeats))
    for _ in range(2):
        with pytest.raises(ValueError, match="there are no rows to sample; play some games first, and call refresh"):
            replay.sample(np.random.default_rng(0), 4)
        replay.refresh()


def test_a_position_without_a_search_teaches_the_result(tmp_path: Path, close_later: CloseLater) -> None:
    """Its value is stored as the result: programs that read a number there can't take NULL, and 0 would halve a win."""
    game = replace(episode(plies=2), values=np.array([NAN, 0.5], np.float32))
    close_later(ReplayWriter(tmp_path / "replay.db", TICTACTOE)).write([game])
    query = "SELECT mcts_value, game_outcome FROM transitions ORDER BY step_number"
    assert select(tmp_path / "replay.db", query) == [(-1.0, -1.0), (0.5, 1.0)]
    replay = close_later(ReplayBuffer(tmp_path / "replay.db", TICTACTOE))
    replay.refresh()
    assert set(replay.sample(np.random.default_rng(0), 32, q_weight=0.5).value_target.tolist()) == {-1.0, 0.75}


def test_the_entropy_of_the_targets_is_a_mean_over_the_rows_that_have_one() -> None:
    """One row is undecided between two moves, one is sure, one has no policy target: (ln 2 + 0) / 2."""
    policy = np.array([[0.5, 0.5, 0], [0, 0, 1], [0, 0, 0]], np.float32)
    legal = np.ones((3, 3), np.bool_)
    batch = Batch(np.zeros((3, 4), np.float32), legal, policy, np.zeros(3, np.float32))
    assert batch.target_entropy == pytest.approx(math.log(2) / 2)
    assert replace(batch, policy_target=0 * policy).target_entropy == 0


def test_refresh_reads_only_new_rows_of_this_game(
    foreign: Callable[..., ForeignDatabase], close_later: CloseLater
) -> None:
    """Rows of another game are skipped, and no row is read twice."""
    database = foreign()
    database.add_tictactoe(5)
    replay = close_later(ReplayBuffer(database.path, TICTACTOE))
    assert [replay.refresh(), replay.refresh()] == [5, 0]
    database.env_id = "connect4"
    database.add_tictactoe(7)
    database.env_id = "tictactoe"
    database.add_tictactoe(2)
    assert [replay.refresh(), replay.refresh(), len(replay)] == [2, 0, 7]


def test_a_missing_database_has_no_rows(
    tmp_path: Path, foreign: Callable[..., ForeignDatabase], close_later: CloseLater
) -> None:
    """Neither has a database without tables; rows are found once they are there."""
    replay = close_later(ReplayBuffer(tmp_path / "replay.db", TICTACTOE))
    assert replay.refresh() == 0
    (tmp_path / "replay.db").touch()
    assert replay.refresh() == 0
    foreign().add_tictactoe(3)
    assert replay.refresh() == 3


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"policy": floats(*[1 / 8] * 8)}, "policy_probs has 8 entries, tictactoe needs 9"),
        ({"policy": CENTRE[:-1]}, "policy_probs has 8.75 entries"),
        ({"policy": "text"}, "policy_probs has the value 'text'"),
        ({"policy": floats(NAN, *[0] * 8)}, "policy_probs holds NaN"),
        ({"policy": floats(2, -1, *[0] * 7)}, "policy_probs has a negative entry"),
        ({"policy": floats(*[0.1] * 9)}, "policy_probs does not sum to 1"),
        ({"observation": floats(*[0] * 18, 0, *[1] * 8, 1, 0), "policy": floats(1, *[0] * 8)}, "an illegal move"),
        ({"observation": EMPTY_BOARD[4:]}, "observation has 28 entries, tictactoe needs 29"),
        ({"observation": floats(NAN) + EMPTY_BOARD[4:]}, "observation holds NaN"),
        ({"observation": floats(*[0] * 27, 1, 0), "policy": None}, "no legal move"),
        ({"outcome": None}, "game_outcome is not a number"),
        ({"outcome": NAN}, "game_outcome is not a number"),  # SQLite stores NaN as NULL
        ({"outcome": float("inf")}, "game_outcome holds NaN or infinity"),
        ({"outcome": 2.0}, r"game_outcome is outside"),
        ({"value": "text"}, "mcts_value is not a number"),
        ({"value": -40.0}, r"mcts_value is outside"),
    ],
)
def test_a_wrong_row_names_itself(
    foreign: Callable[..., ForeignDatabase], changed: dict[str, object], reason: str, close_later: CloseLater
) -> None:
    """The message names the row, the file and the reason; good rows before it don't hide it."""
    database = foreign()
    database.add_tictactoe(2)
    database.add_tictactoe(1, **changed)
    with pytest.raises(ReplayError, match=reason) as error:
        close_later(ReplayBuffer(database.path, TICTACTOE)).refresh()
    assert str(error.value).startswith(f"row foreign-step-2 of {database.path}: ")


def test_each_missing_column_is_named(foreign: Callable[..., ForeignDatabase], close_later: CloseLater) -> None:
    """A table that lacks columns is an error at once, even without rows."""
    kept = [part for part in COLUMNS.split(", ") if not part.startswith(("policy_probs", "reward", "created_at"))]
    database = foreign(columns=", ".join(kept))
    with pytest.raises(ReplayError, match="lacks reward, policy_probs;"):
        close_later(ReplayBuffer(database.path, TICTACTOE)).refresh()


def test_a_file_that_is_not_a_database_is_an_error(tmp_path: Path) -> None:
    """The message names the file."""
    path = tmp_path / "replay.db"
    path.write_text("this is a letter, not a database. " * 40)
    with pytest.raises(ReplayError, match=r"replay\.db can't be used: file is not a database"):
        load_game_config("tictactoe", path)


def test_metadata_that_contradicts_the_rules_is_an_error(foreign: Callable[..., ForeignDatabase]) -> None:
    """Tic-tac-toe on a 4x4 board is another game."""
    database = foreign()
    database.metadata(width=4, height=4, actions=16, obs_size=50, offset=32)
    with pytest.raises(GameError, match=r"states board_width = 4 for tictactoe, the rules here have 3"):
        load_game_config("tictactoe", database.path)


def test_a_game_needs_no_database(tmp_path: Path) -> None:
    """Its rules have its dimensions, as a file that isn't there yet leaves it to them; a path may be text."""
    alone = load_game_config("connect4")
    named = load_game_config("connect4", str(tmp_path / "replay.db"))
    assert (alone.metadata, alone.stamp) == (named.metadata, named.stamp)
    assert (alone.metadata.num_actions, len(alone.symmetries)) == (7, 2)
    with pytest.raises(GameError, match="no rules for a game named 'chess'"):
        load_game_config("chess")


def test_a_game_without_rules_and_metadata_is_an_error(foreign: Callable[..., ForeignDatabase]) -> None:
    """The message lists the games with rules."""
    with pytest.raises(GameError, match=r"'chess' has neither rules here nor metadata.*tictactoe, connect4, othello"):
        load_game_config("chess", foreign("hex").path)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_concurrent_writers_lose_nothing_and_readers_see_whole_games(
    tmp_path: Path, close_later: CloseLater, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Four writers store 50 games each while a reader counts rows: it never sees half a game, and in the end sees all.

    With a write-ahead log, and with a rollback journal, as where another process prevents the log.
    """
    if mode == "delete":
        monkeypatch.setattr(ReplayWriter, "_prefer_write_ahead_log", lambda self: None)
    path = tmp_path / "replay.db"
    writers = [close_later(ReplayWriter(path, TICTACTOE)) for _ in range(4)]
    assert select(path, "PRAGMA journal_mode") == [(mode,)]

    def work(number: int) -> None:
        for game in range(50):
            writers[number].write([episode(f"{number}-{game}")])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    replay = close_later(ReplayBuffer(path, TICTACTOE))
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        replay.refresh()
        assert len(replay) % 2 == 0
    replay.refresh()
    assert len(replay) == 4 * 50 * 2


def test_an_unknown_game_has_the_identity_as_its_only_symmetry() -> None:
    """Its rows are sampled as they are stored."""
    symmetries = SymmetryTables.identity(TICTACTOE)
    assert symmetries.observations.tolist() == [list(range(29))]
    assert symmetries.actions.tolist() == [list(range(9))]


def test_the_window_keeps_the_newest_games_whole(tmp_path: Path, close_later: CloseLater) -> None:
    """Of 300 games of 2 to 5 plies, about the newest 100 positions stay in file and buffer, and the file stops growing."""
    path = tmp_path / "replay.db"
    writer = close_later(ReplayWriter(path, TICTACTOE, window=100))
    replay = close_later(ReplayBuffer(path, TICTACTOE))
    reader = close_later(sqlite3.connect(path))
    pages = []
    for game in range(300):
        writer.write([episode(f"a-{game:03d}", plies=2 + game % 4)])
        replay.refresh()
        pages.append(reader.execute("PRAGMA page_count").fetchone()[0])
    rows = reader.execute("SELECT episode_id, count(*) FROM transitions GROUP BY episode_id").fetchall()
    assert [name for name, _ in rows] == [f"a-{game:03d}" for game in range(300 - len(rows), 300)]
    assert all(count == 2 + int(name[2:]) % 4 for name, count in rows)
    assert 95 < sum(count for _, count in rows) <= 100
    assert len(replay) == sum(count for _, count in rows)
    assert replay.seen == 75 * (2 + 3 + 4 + 5)
    assert pages[-1] <= pages[100]


def test_a_file_with_far_more_rows_than_the_window_shrinks_over_several_writes(
    tmp_path: Path, close_later: CloseLater, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write deletes a few slices and more than it added, so an actor that is to stop need not wait for all of them."""
    path = tmp_path / "replay.db"
    close_later(ReplayWriter(path, TICTACTOE)).write([episode(f"a-{game:03d}") for game in range(100)])
    assert count_rows(path) == 200
    monkeypatch.setattr(windows, "PRUNE_SLICE", 4)
    monkeypatch.setattr(windows, "PRUNE_SLICES", 3)
    writer = close_later(ReplayWriter(path, TICTACTOE, window=10))
    writer.write([episode("b-000")])
    assert count_rows(path) == 202 - 3 * 4 - 4
    for game in range(1, 20):
        writer.write([episode(f"b-{game:03d}")])
    assert count_rows(path) == 10


def test_a_window_is_refused_in_a_file_with_other_games(tmp_path: Path, close_later: CloseLater) -> None:
    """It would count them, because it goes by the age of all rows. Metadata without rows is no game."""
    path, connect4 = tmp_path / "replay.db", metadata_of(game_of("connect4"))
    close_later(ReplayWriter(path, connect4))
    close_later(ReplayWriter(path, TICTACTOE, window=100)).write([episode()])
    with pytest.raises(
        ReplayError,
        match=r"replay\.db also holds games of tictactoe, which --replay-window would count and never delete; write",
    ):
        ReplayWriter(path, connect4, window=100)
    close_later(ReplayWriter(path, connect4))


def test_a_writer_never_deletes_the_rows_of_another_game(tmp_path: Path, close_later: CloseLater) -> None:
    """Both games came into the file after it was opened, so nobody was refused; a writer deletes old games of its own."""
    path = tmp_path / "replay.db"
    writer = close_later(ReplayWriter(path, TICTACTOE, window=10))
    writer.write([episode(f"a-{game}") for game in range(3)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE transitions SET env_id = 'connect4'")
    for game in range(20):
        writer.write([episode(f"b-{game}")])
    counts = dict(select(path, "SELECT env_id, count(*) FROM transitions GROUP BY env_id"))
    assert (counts["connect4"], counts["tictactoe"]) == (6, 10)


def test_a_window_is_refused_in_a_file_that_does_not_state_its_other_game(
    foreign: Callable[..., ForeignDatabase], close_later: CloseLater
) -> None:
    """By its oldest row; without a window both games may share the file."""
    database = foreign("connect4")
    database.add_tictactoe(3)
    with pytest.raises(
        ReplayError, match="also holds games of connect4, which --replay-window would count and never delete"
    ):
        ReplayWriter(database.path, TICTACTOE, window=100)
    close_later(ReplayWriter(database.path, TICTACTOE)).write([episode()])


@pytest.mark.parametrize("slice_rows", [windows.PRUNE_SLICE, 100])
def test_a_window_works_behind_old_rows_of_another_game(
    tmp_path: Path, close_later: CloseLater, monkeypatch: pytest.MonkeyPatch, slice_rows: int
) -> None:
    """There are more of them than a slice, or than all slices of a write. The reader forgets what is deleted, too."""
    monkeypatch.setattr(windows, "PRUNE_SLICE", slice_rows)
    monkeypatch.setattr(windows, "PRUNE_SLICES", 4)
    path = tmp_path / "replay.db"
    writer = close_later(ReplayWriter(path, TICTACTOE, window=100))
    close_later(ReplayWriter(path, TICTACTOE)).write([episode(f"a-{game}") for game in range(750)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE transitions SET env_id = 'connect4'")
    replay = close_later(ReplayBuffer(path, TICTACTOE))
    for game in range(300):
        writer.write([episode(f"b-{game}")])
        replay.refresh()
    counts = dict(select(path, "SELECT env_id, count(*) FROM transitions GROUP BY env_id"))
    assert counts == {"connect4": 1500, "tictactoe": 100}
    assert (len(replay), replay.seen) == (100, 600)


def test_a_window_works_after_all_rows_were_deleted(tmp_path: Path, close_later: CloseLater) -> None:
    """SQLite then numbers rows from 1 again, below those that were passed before."""
    path = tmp_path / "replay.db"
    writer = close_later(ReplayWriter(path, TICTACTOE, window=10))
    close_later(ReplayWriter(path, TICTACTOE)).write([episode(f"a-{game}") for game in range(50)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE transitions SET env_id = 'connect4'")
    writer.write([episode("b-0")])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM transitions")
    for game in range(60):
        writer.write([episode(f"c-{game}")])
    assert count_rows(path) == 10


def test_a_window_smaller_than_a_game_keeps_the_newest_game(tmp_path: Path, close_later: CloseLater) -> None:
    """Whole, and no other."""
    writer = close_later(ReplayWriter(tmp_path / "replay.db", TICTACTOE, window=3))
    reader = close_later(sqlite3.connect(tmp_path / "replay.db"))
    for game in range(3):
        writer.write([episode(f"a-{game}", plies=5)])
        assert reader.execute("SELECT DISTINCT episode_id FROM transitions").fetchall() == [(f"a-{game}",)]
    assert reader.execute("SELECT count(*) FROM transitions").fetchall() == [(5,)]


def test_the_last_rows_stay_if_all_rows_of_a_game_are_deleted(
    foreign: Callable[..., ForeignDatabase], close_later: CloseLater
) -> None:
    """Another game's actor fills the same database; there are still rows to sample until new ones come."""
    database = foreign()
    database.add_tictactoe(50)
    replay = close_later(ReplayBuffer(database.path, TICTACTOE, min_rows=8))
    replay.refresh()
    database.env_id = "connect4"
    database.add_tictactoe(5)
    database.env_id = "tictactoe"
    database.connection.execute("DELETE FROM transitions WHERE env_id = 'tictactoe'")
    database.connection.commit()
    replay.refresh()
    assert len(replay) == 8
    assert len(replay.sample(np.random.default_rng(0), 16).value_target) == 16
    database.add_tictactoe(3)
    replay.refresh()
    assert len(replay) == 8
    database.add_tictactoe(20)
    replay.refresh()
    assert len(replay) == 23


def test_oldest_and_newest_rows_are_found_without_a_scan(tictactoe_rows: ForeignDatabase) -> None:
    """Writer and trainer ask for them several times per second; a scan of a million rows takes most of a second."""
    connection = tictactoe_rows.connection
    for query, look_ups, given in ((ROWID_SPAN, 2, ()), (OLDEST, 1, (1, "tictactoe"))):
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", given).fetchall()
        steps = [step for *_, step in plan if "transitions" in step]
        assert len(steps) == look_ups
        assert all(step.startswith("SEARCH") for step in steps), steps
    assert connection.execute(ROWID_SPAN).fetchone() == (1, 200)
    assert connection.execute(OLDEST, (1, "tictactoe")).fetchone() == (1,)
