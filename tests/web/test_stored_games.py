"""The stored games of a run: the list, and one game move by move."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from event_loops import noting_loops
from run_files import put_stats, store_games, stored_game
from stored_rows import remove_policies
from web_client import client_of, sentence

from trainer.core.files import write_bytes
from trainer.game_config import metadata_of
from trainer.games import find_game, game_of, rules_of
from trainer.games.position import Position
from trainer.replay import ReplayWriter
from trainer.web.api import stored_games
from trainer.web.runs.replay_file import ReplayFile

BOARDS = Path(__file__).parents[1] / "support" / "boards"
X_WINS, O_WINS, DRAWN = [0, 3, 1, 4, 2], [0, 3, 1, 4, 8, 5], [0, 1, 2, 4, 3, 5, 7, 6, 8]


def change_rows(folder: Path, *statements: str) -> None:
    """Run SQL on the replay.db of a run."""
    with closing(sqlite3.connect(folder / "replay.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_stored_games_are_listed_newest_first(tmp_path: Path) -> None:
    """With their results. They can be filtered by result, and `next` continues where an answer ended."""
    store_games(tmp_path, "tictactoe", [X_WINS, O_WINS, DRAWN] * 10)
    with client_of(tmp_path) as client:
        found = client.get("/replay/games").json()
        assert [game["episode_id"] for game in found["games"]][:2] == ["test-game-029", "test-game-028"]
        assert [game["winner"] for game in found["games"]][:3] == [3, 2, 1]
        assert [game["plies"] for game in found["games"]][:3] == [9, 6, 5]
        older = client.get("/replay/games", params={"before": found["next"]}).json()
        assert older["games"][-1]["episode_id"] == "test-game-000"
        assert len(found["games"]) + len(older["games"]) == 30
        assert older["next"] is None
        second = client.get("/replay/games", params={"result": "second"}).json()["games"]
        assert [game["winner"] for game in second] == [2] * 10
        sentence(client.get("/replay/games", params={"result": "best"}), 400)
        sentence(client.get("/replay/games", params={"before": "x"}), 400)


def test_a_long_game_does_not_delay_other_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its plies are worked out in a thread beside that of the event loop, which serves everybody."""
    loops = noting_loops(monkeypatch, stored_games, "ply_of")
    store_games(tmp_path, "tictactoe", [X_WINS])
    with client_of(tmp_path) as client:
        answer = client.get("/replay/game", params={"episode": "test-game-000"})
        assert len(answer.json()["plies"]) == len(X_WINS) + 1
    assert loops == [None] * len(X_WINS)


def test_games_of_several_databases_are_one_list(tmp_path: Path) -> None:
    """By the time at which they were stored, each once, page by page; a game is found in whichever database it is."""
    for shard in range(3):
        store_games(tmp_path, "tictactoe", [X_WINS] * (10 + 20 * shard))
        change_rows(
            tmp_path,
            f"UPDATE transitions SET episode_id = episode_id || '-{shard}', timestamp = 1000000 + 3 * rowid + {shard}",
        )
        (tmp_path / "replay.db").rename(tmp_path / f"replay-{shard}.db")
    games = [(number, shard) for shard in range(3) for number in range(10 + 20 * shard)]
    expected = [f"test-game-{number:03d}-{shard}" for number, shard in sorted(games, reverse=True)]
    with client_of(tmp_path) as client:
        found: list[str] = []
        query: dict[str, str] = {}
        while True:
            answer = client.get("/replay/games", params=query).json()
            found += [game["episode_id"] for game in answer["games"]]
            if answer["next"] is None:
                break
            query = {"before": answer["next"]}
        assert found == expected
        for shard in range(3):
            assert client.get("/replay/game", params={"episode": f"test-game-003-{shard}"}).json()["winner"] == 1
        sentence(client.get("/replay/games", params={"before": "1.x.2"}), 400)


def test_stored_games_by_model_step(tmp_path: Path) -> None:
    """The times in the files of the run tell which model was the newest when a game was stored."""
    store_games(tmp_path, "tictactoe", [X_WINS, O_WINS])
    now = int(time.time())
    put_stats(
        tmp_path,
        "tictactoe",
        300,
        history=[],
        eval_history=[{"step": 100, "timestamp": now - 100}, {"step": 300, "timestamp": now + 100}],
    )
    with client_of(tmp_path) as client:
        assert {game["model_step"] for game in client.get("/replay/games").json()["games"]} == {100}
        for steps, expected in (
            ({"from_step": 50, "to_step": 200}, 2),
            ({"from_step": 300}, 0),
            ({"to_step": 50}, 0),
            ({"from_step": 999}, 0),
            ({}, 2),
        ):
            assert len(client.get("/replay/games", params=steps).json()["games"]) == expected, steps


def test_a_stored_game_move_by_move(tmp_path: Path) -> None:
    """The board, the move, the policy target, the value and the outcome, the last two for the mover."""
    store_games(tmp_path, "tictactoe", [O_WINS])
    remove_policies(tmp_path / "replay.db")
    with client_of(tmp_path) as client:
        game = client.get("/replay/game", params={"episode": "test-game-000"}).json()
        assert (game["env_id"], game["winner"]) == ("tictactoe", 2)
        assert [ply["action"] for ply in game["plies"]] == [*O_WINS, None]
        first, second = game["plies"][:2]
        assert first["visits"] == {"0": 0.777778} | {str(action): 0.027778 for action in range(1, 9)}
        assert second["visits"] is None
        assert (first["value"], first["outcome"], second["outcome"]) == (0.5, -1, 1)
        assert game["plies"][-1]["board"] == [1, 1, 0, 2, 2, 2, 0, 0, 1]
        sentence(client.get("/replay/game", params={"episode": "' OR 1=1 --"}), 404)
        sentence(client.get("/replay/game"), 404)


@pytest.mark.parametrize(
    ("changed", "values"),
    [
        ("env_id = env_id", [None] * 6),
        ("mcts_value = NULL", [None] * 6),
        ("mcts_value = 0.5 WHERE step_number = 4", [-1, 1, -1, 1, 0.5, 1]),
        ("policy_probs = (SELECT policy_probs FROM transitions WHERE step_number = 5)", [-1, 1, -1, 1, -1, 1]),
        ("policy_probs = NULL", [-1, 1, -1, 1, -1, 1]),
    ],
)
def test_a_game_that_nobody_searched_has_no_values(tmp_path: Path, changed: str, values: list[float | None]) -> None:
    """An actor without a model stores the outcome there, with the uniform policy; the page doesn't call it a search's.

    One row that is different shows that the game was searched, or comes from elsewhere.
    """
    game = stored_game("tictactoe", O_WINS)
    legal = game.observations[:-1, 18:27]
    visits, unknown = legal / legal.sum(axis=1, keepdims=True), np.full(6, np.nan, np.float32)
    with closing(ReplayWriter(tmp_path / "replay.db", metadata_of(game_of("tictactoe")))) as writer:
        writer.write([replace(game, visits=visits, values=unknown)])
    change_rows(tmp_path, f"UPDATE transitions SET {changed}")
    with client_of(tmp_path) as client:
        plies = client.get("/replay/game", params={"episode": "test-game-000"}).json()["plies"]
    assert [ply["value"] for ply in plies[:-1]] == values


def test_the_policy_targets_of_packed_rows_are_shown(tmp_path: Path) -> None:
    """Such rows have a number for each legal move alone, so a place in the row is no action."""
    rules = rules_of("minichess")
    assert rules.GAME.packed_moves
    first = Position.first(rules)
    action = first.legal[2]
    reply = first.play(action).legal[0]
    store_games(tmp_path, "minichess", [[action, reply]])
    with client_of(tmp_path) as client:
        ply = client.get("/replay/game", params={"episode": "test-game-000"}).json()["plies"][0]
    visits = {int(key): value for key, value in ply["visits"].items()}
    share = 0.25 / len(first.legal)
    assert visits == pytest.approx(dict.fromkeys(first.legal, share) | {action: 0.75 + share}, abs=1e-6)


def test_a_stored_game_of_other_rules_is_not_shown(tmp_path: Path) -> None:
    """It would be shown as a game that nobody played."""
    store_games(tmp_path, "hex:size=2", [[0, 1, 2]])
    table = "CREATE TABLE game_layouts (env_id TEXT PRIMARY KEY, layout TEXT, rules TEXT)"
    change_rows(tmp_path, table, "INSERT INTO game_layouts VALUES ('hex:size=2', '{}', 'others')")
    with client_of(tmp_path) as client:
        answer = client.get("/replay/game", params={"episode": "test-game-000"})
        assert "played by other rules" in sentence(answer, 404)
        change_rows(tmp_path, "DELETE FROM game_layouts")
        assert client.get("/replay/game", params={"episode": "test-game-000"}).json()["winner"] == 1


def test_a_hash_stated_for_a_game_that_has_none_is_accepted(tmp_path: Path) -> None:
    """As the trainer accepts it: the games of the contract are known by name."""
    store_games(tmp_path, "tictactoe", [X_WINS])
    table = "CREATE TABLE game_layouts (env_id TEXT PRIMARY KEY, layout TEXT, rules TEXT)"
    change_rows(tmp_path, table, "INSERT INTO game_layouts VALUES ('tictactoe', '{}', 'others')")
    with client_of(tmp_path) as client:
        assert client.get("/replay/game", params={"episode": "test-game-000"}).json()["winner"] == 1


def test_a_stored_game_counts_its_moves_from_the_first(tmp_path: Path) -> None:
    """Random first moves that are not stored count too; list and game agree."""
    store_games(tmp_path, "tictactoe", [O_WINS])
    change_rows(tmp_path, "DELETE FROM transitions WHERE step_number < 2")
    with client_of(tmp_path) as client:
        assert client.get("/replay/games").json()["games"][0]["plies"] == len(O_WINS)
        plies = client.get("/replay/game", params={"episode": "test-game-000"}).json()["plies"]
        assert [ply["ply"] for ply in plies] == list(range(2, len(O_WINS) + 1))


def test_a_locked_database_gives_a_sentence_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds it locked, without a write-ahead log. Programs wait a minute; a person at the page doesn't."""
    store_games(tmp_path, "tictactoe", [X_WINS])
    monkeypatch.setattr("trainer.web.runs.replay_file.BUSY_SECONDS", 0.01)
    monkeypatch.setattr("trainer.replay.database.connection.BUSY_SECONDS", "nobody here waits this long")
    with closing(sqlite3.connect(tmp_path / "replay.db", isolation_level=None)) as other, client_of(tmp_path) as client:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        found = client.get("/replay/games").json()
        assert found["games"] == []
        assert found["message"].endswith("can't be used: database is locked.")
        assert ReplayFile(tmp_path / "replay.db").stamp("tictactoe") is None
        assert ReplayFile(tmp_path / "replay.db").env_id() is None
        other.execute("ROLLBACK")
        assert len(client.get("/replay/games").json()["games"]) == 1


def test_a_missing_or_broken_database_gives_a_sentence(tmp_path: Path) -> None:
    """The list is empty until there is a good database."""
    put_stats(tmp_path, "tictactoe", 10)
    with client_of(tmp_path) as client:
        assert "no replay.db" in client.get("/replay/games").json()["message"]
        write_bytes(tmp_path / "replay.db", b"this is no database" * 100)
        found = client.get("/replay/games").json()
        assert found["games"] == []
        assert "can't be read" in found["message"]
        (tmp_path / "replay.db").unlink()
        store_games(tmp_path, "tictactoe", [X_WINS])
        assert len(client.get("/replay/games").json()["games"]) == 1


@pytest.mark.parametrize(
    "damage",
    [
        "state = x'0102'",
        "state = 'abcdefghijk'",
        "state = x'0000000000000000000900'",
        "state = x'0700000000000000000100'",
        "state = x'0000000000000000000107'",
        "action = 3",
        "step_number = 'two'",
        "policy_probs = 7",
    ],
)
def test_a_stored_game_that_does_not_fit_its_rules_is_refused(tmp_path: Path, damage: str) -> None:
    """A value of the wrong length, type or range gives a sentence instead of a wrong board."""
    store_games(tmp_path, "tictactoe", [X_WINS])
    change_rows(tmp_path, f"UPDATE transitions SET {damage} WHERE step_number = {len(X_WINS) - 1}")
    with client_of(tmp_path) as client:
        sentence(client.get("/replay/game", params={"episode": "test-game-000"}), 422)


def test_stored_games_with_values_of_the_wrong_type_are_left_out(tmp_path: Path) -> None:
    """The others are listed."""
    store_games(tmp_path, "tictactoe", [X_WINS] * 4)
    change_rows(
        tmp_path,
        "UPDATE transitions SET timestamp = 'noon' WHERE episode_id = 'test-game-000'",
        "UPDATE transitions SET episode_id = x'01' WHERE episode_id = 'test-game-001'",
        "UPDATE transitions SET env_id = x'01' WHERE episode_id = 'test-game-003'",
    )
    with client_of(tmp_path) as client:
        assert [game["episode_id"] for game in client.get("/replay/games").json()["games"]] == ["test-game-002"]


def test_a_game_of_more_than_a_thousand_moves_is_read_to_its_end(tmp_path: Path) -> None:
    """Its rules allow as many; nothing is cut off."""
    env_id = find_game(str(BOARDS / "long.py")).game.env_id
    store_games(tmp_path, env_id, [[0] * 1200])
    steps = [row["step_number"] for row in ReplayFile(tmp_path / "replay.db").rows("test-game-000")]
    assert steps == list(range(1200))


def test_a_stored_game_that_is_longer_than_its_rules_allow_is_refused(tmp_path: Path) -> None:
    """It isn't shown as if it ended where they end. Here two games have the same name."""
    store_games(tmp_path, "tictactoe", [X_WINS, O_WINS])
    change_rows(tmp_path, "UPDATE transitions SET episode_id = 'test-game-000'")
    with client_of(tmp_path) as client:
        answer = client.get("/replay/game", params={"episode": "test-game-000"})
        assert "does not fit the rules" in sentence(answer, 422)


def test_a_stored_game_of_unknown_rules_is_refused(tmp_path: Path) -> None:
    """The sentence says which game it is, and what to do. A name that is no text is no game's."""
    store_games(tmp_path, "tictactoe", [X_WINS])
    change_rows(tmp_path, "UPDATE transitions SET env_id = 'test-nowhere'")
    with client_of(tmp_path) as client:
        answer = client.get("/replay/game", params={"episode": "test-game-000"})
        expected = "The rules of test-nowhere are not known here; start the page with --games FILE."
        assert sentence(answer, 404) == expected
        change_rows(tmp_path, "UPDATE transitions SET env_id = x'01'")
        sentence(client.get("/replay/game", params={"episode": "test-game-000"}), 422)


def test_a_list_of_stored_games_says_what_time_it_is(tmp_path: Path) -> None:
    """The clock of the browser may be wrong. So does an empty list."""
    for games in ([], [X_WINS]):
        folder = tmp_path / f"{len(games)}-games"
        store_games(folder, "tictactoe", games)
        with client_of(folder) as client:
            began = time.time()
            found = client.get("/replay/games").json()
            assert len(found["games"]) == len(games)
            assert began <= found["now"] <= time.time()
