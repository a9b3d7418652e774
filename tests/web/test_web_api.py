"""Every call of the contract's web API, good and bad, and what our own page needs beyond it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_files import put_model, put_stats, store_games
from starlette.requests import Request
from starlette.testclient import TestClient

import trainer
from trainer.core.errors import ConfigError
from trainer.core.files import write_bytes
from trainer.evaluators.onnx_file import load_model
from trainer.games import ENV_IDS, rules_of
from trainer.games.position import Position
from trainer.web.app import Limits, build_app
from trainer.web.game.analysis import Engine
from trainer.web.game.duel import Duel
from trainer.web.game.sessions import Sessions
from trainer.web.http.body import LARGEST
from trainer.web.live import change, figures_of
from trainer.web.runs.runs import Runs
from trainer.web.server import WebConfig, listen

HOME = "http://127.0.0.1:8080"
HOSTS = frozenset({"127.0.0.1", "localhost"})
STATE = {"board", "current_player", "human_player", "winner", "game_over", "legal_moves", "message"}


def client_of(folder: Path, **settings: Any) -> TestClient:
    """A browser of its own at a server over `folder`."""
    limits = settings.pop("limits", Limits())
    return TestClient(build_app(folder, limits, known_hosts=HOSTS, **settings), base_url=HOME)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A browser at a server whose data folder is still empty."""
    with client_of(tmp_path) as found:
        yield found


def sentence(response: Any, status: int) -> str:
    """The sentence of a refusal, checked to be one: a 4xx status, plain text, one line that ends in a full stop."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("text/plain")
    text: str = response.text
    assert text.endswith(".")
    assert "\n" not in text
    assert 10 < len(text) < 200
    return text


def test_health(client: TestClient) -> None:
    """`status` and `version`."""
    assert client.get("/health").json() == {"status": "ok", "version": trainer.__version__}


def test_games(client: TestClient) -> None:
    """The list of env_ids."""
    assert client.get("/games").json() == {"games": list(ENV_IDS)}


def test_game_info(client: TestClient) -> None:
    """The metadata of the contract's table, and the words."""
    info = client.get("/game-info/connect4").json()
    assert info["env_id"] == "connect4"
    assert info["display_name"] == "Connect 4"
    assert (info["board_width"], info["board_height"], info["num_actions"]) == (7, 6, 7)
    assert (info["obs_size"], info["legal_mask_offset"], info["player_count"]) == (93, 84, 2)
    assert info["player_names"] == ["Red", "Yellow"]
    assert info["player_symbols"] == ["R", "Y"]
    assert info["board_type"] == "drop_column"
    assert info["description"]
    assert client.get("/game-info/othello").json()["obs_size"] == 195
    sentence(client.get("/game-info/chess"), 404)
    sentence(client.get("/game-info/..%2f..%2fetc"), 404)


def test_a_game_state_without_a_session_starts_tictactoe_with_the_player_first(client: TestClient) -> None:
    """And the browser keeps it."""
    response = client.get("/game/state")
    state = response.json()
    assert state.keys() >= STATE
    assert state["board"] == [0] * 9
    assert (state["current_player"], state["human_player"]) == (1, 1)
    assert (state["winner"], state["game_over"], state["legal_moves"]) == (0, False, list(range(9)))
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    client.post("/move", json={"position": 4})
    assert client.get("/game/state").json()["board"][4] == 1


def test_a_game_without_a_model_is_played_by_uniform_guess_search(client: TestClient) -> None:
    """And the message says so."""
    state = client.post("/game/new", json={"first": "player", "game": "connect4"}).json()
    assert "no model" in state["message"]
    assert "uniform" in state["message"]
    assert len(state["board"]) == 42


def test_the_bot_may_begin(client: TestClient) -> None:
    """Then its move is on the board and the person is second."""
    state = client.post("/game/new", json={"first": "bot", "game": "othello"}).json()
    assert state["human_player"] == state["current_player"] == 2
    assert sum(cell != 0 for cell in state["board"]) == 5
    assert state["bot_move"] in range(64)


def test_new_keeps_the_game_that_was_played(client: TestClient) -> None:
    """`game` is optional: the game of the session, at first tic-tac-toe."""
    assert client.post("/game/new", json={"first": "player"}).json()["game"] == "tictactoe"
    client.post("/game/new", json={"first": "player", "game": "connect4"})
    assert client.post("/game/new", json={"first": "bot"}).json()["game"] == "connect4"


def test_new_refuses_what_it_does_not_know(client: TestClient) -> None:
    """Unknown games, seats and simulations; no session is made of them."""
    sentence(client.post("/game/new", json={"first": "player", "game": "chess"}), 404)
    sentence(client.post("/game/new", json={"first": "player", "game": ["othello"]}), 404)
    for first in ("nobody", 1, None, ["bot"]):
        sentence(client.post("/game/new", json={"first": first}), 400)
    for simulations in (-1, 801, 1.5, "10", True, None):
        sentence(client.post("/game/new", json={"first": "player", "simulations": simulations}), 400)
    assert not client.cookies


def test_a_move_is_answered(client: TestClient) -> None:
    """A game state plus the model's move, both on the board."""
    client.post("/game/new", json={"first": "player"})
    state = client.post("/move", json={"position": 4}).json()
    assert state.keys() >= STATE
    assert state["board"][4] == 1
    assert state["board"][state["bot_move"]] == 2
    assert state["current_player"] == 1


def test_the_rows_of_connect4_begin_at_the_bottom(tmp_path: Path) -> None:
    """A first disc in column 3 lies in cell 3."""
    put_model(tmp_path, "connect4", favourite=6)
    with client_of(tmp_path) as client:
        client.post("/game/new", json={"first": "player", "game": "connect4", "simulations": 0})
        state = client.post("/move", json={"position": 3}).json()
    assert (state["board"][3], state["board"][6], state["bot_move"]) == (1, 2, 6)


@pytest.mark.parametrize("position", [4, 9, -1, 1.0, "3", None, True, [3], {}, 10**30])
def test_an_illegal_move_changes_nothing(client: TestClient, position: object) -> None:
    """Taken cells, cells off the board, and what is no number."""
    client.post("/game/new", json={"first": "player"})
    client.post("/move", json={"position": 4})
    before = client.get("/game/state").json()
    sentence(client.post("/move", json={"position": position}), 400)
    assert client.get("/game/state").json() == before


def play_out(client: TestClient, game: str, first: str = "player") -> dict[str, Any]:
    """The last answer of a game in which both sides play the first legal move; passes are posted like any move."""
    state: dict[str, Any] = client.post("/game/new", json={"first": first, "game": game, "simulations": 0}).json()
    while not state["game_over"]:
        state = client.post("/move", json={"position": state["legal_moves"][0]}).json()
    return state


@pytest.mark.parametrize("game", ["tictactoe", "connect4", "othello"])
def test_a_game_that_is_over_takes_no_move(client: TestClient, game: str) -> None:
    """The last state stays; `bot_move` is null where the person ended the game."""
    state = play_out(client, game)
    assert state["winner"] in (1, 2, 3)
    assert state["legal_moves"] == []
    if state["current_player"] == state["human_player"]:
        assert state["bot_move"] is None
    sentence(client.post("/move", json={"position": 0}), 400)
    after = client.get("/game/state").json()
    assert {**after, "bot_move": 0} == {**state, "bot_move": 0}


def test_a_forced_pass_is_posted(client: TestClient) -> None:
    """Some game of Othello has one; action 64."""
    passes = 0
    for first in ("player", "bot"):
        state = client.post("/game/new", json={"first": first, "game": "othello", "simulations": 0}).json()
        while not state["game_over"]:
            passes += state["legal_moves"] == [64]
            state = client.post("/move", json={"position": state["legal_moves"][-1]}).json()
    assert passes > 0


def test_a_move_needs_a_session(client: TestClient) -> None:
    """Neither none nor an unknown one will do; no session is made."""
    sentence(client.post("/move", json={"position": 0}), 409)
    client.cookies.set("cartridge_session_8080", "made-up")
    sentence(client.post("/move", json={"position": 0}), 409)
    for call in ("/game/undo", "/game/settings"):
        sentence(client.post(call, json={}), 409)
    sentence(client.get("/game/moves"), 409)
    sentence(client.get("/game/mind"), 409)


def test_a_session_expires_when_idle(tmp_path: Path) -> None:
    """Then a move is refused, and the state is a fresh game."""
    with client_of(tmp_path, limits=Limits(idle_seconds=0.3)) as client:
        client.get("/game/state")
        assert client.post("/move", json={"position": 4}).status_code == 200
        time.sleep(0.5)
        sentence(client.post("/move", json={"position": 0}), 409)
        assert client.get("/game/state").json()["board"] == [0] * 9


def test_two_browsers_do_not_share_a_board(tmp_path: Path) -> None:
    """Each cookie has its own game, and the keys can't be guessed."""
    with client_of(tmp_path) as one:
        other = TestClient(one.app, base_url=HOME)
        one.get("/game/state")
        other.get("/game/state")
        one.post("/move", json={"position": 4})
        assert other.get("/game/state").json()["board"] == [0] * 9
        keys = {browser.cookies["cartridge_session_8080"] for browser in (one, other)}
        assert len(keys) == 2
        assert all(len(key) >= 32 for key in keys)


def test_a_key_from_outside_is_never_taken_over(client: TestClient) -> None:
    """A browser that sends a made-up cookie gets a key of the server's own."""
    client.cookies.set("cartridge_session_8080", "fixed-by-an-attacker")
    response = client.get("/game/state")
    assert "fixed-by-an-attacker" not in response.headers["set-cookie"]


def test_sessions_are_bounded(tmp_path: Path) -> None:
    """The one that was idle longest makes room; one that is in use stays."""
    with client_of(tmp_path, limits=Limits(sessions=3)) as client:
        first = TestClient(client.app, base_url=HOME)
        first.get("/game/state")
        first.post("/move", json={"position": 4})
        for _ in range(10):
            TestClient(client.app, base_url=HOME).get("/game/state")
            assert first.get("/game/state").json()["board"][4] == 1
        for _ in range(3):
            TestClient(client.app, base_url=HOME).get("/game/state")
        sentence(first.post("/move", json={"position": 0}), 409)


def test_a_flood_of_new_sessions_leaves_only_the_newest() -> None:
    """Twenty thousand browsers in a moment, a thousand games kept."""
    sessions = Sessions(most=1000, idle_seconds=3600)
    duel = Duel.new(rules_of("tictactoe"), human=1, simulations=0)
    for _ in range(20_000):
        newest = sessions.start(Request({"type": "http", "headers": []}), duel)
    assert len(sessions) == 1000
    cookie = f"cartridge_session_0={newest.key}".encode()
    assert sessions.of(Request({"type": "http", "headers": [(b"cookie", cookie)]})) is newest


def test_moving_while_the_model_thinks_is_out_of_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second move of the same browser meanwhile is refused, and only the first one counts."""
    think = Engine.think

    async def slowly(*arguments: Any) -> Any:
        await asyncio.sleep(0.3)
        return await think(*arguments)

    with client_of(tmp_path) as client:
        client.get("/game/state")
        monkeypatch.setattr(Engine, "think", slowly)
        with ThreadPoolExecutor() as pool:
            first = pool.submit(client.post, "/move", json={"position": 4})
            time.sleep(0.1)
            second = client.post("/move", json={"position": 0})
        assert "turn" in sentence(second, 400)
        assert first.result().status_code == 200
        state = client.get("/game/state").json()
        assert state["ply"] == 2
        assert state["board"][4] == 1


@pytest.mark.parametrize("call", ["/move", "/game/new", "/game/settings"])
@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff\xfe", b"[" * 9000, b"nonsense"])
def test_malformed_bodies(client: TestClient, call: str, body: bytes) -> None:
    """400 with a sentence, and the game as it was."""
    client.get("/game/state")
    client.post("/move", json={"position": 4})
    before = client.get("/game/state").json()
    sentence(client.post(call, content=body), 400)
    assert client.get("/game/state").json() == before


@pytest.mark.parametrize("call", ["/move", "/game/new", "/game/settings"])
def test_a_body_of_ten_megabytes(client: TestClient, call: str) -> None:
    """413, whether its length is stated or not, and the game as it was."""
    client.get("/game/state")
    before = client.get("/game/state").json()
    sentence(client.post(call, content=b"x" * 10_000_000), 413)
    sentence(client.post(call, content=(b"x" * 100_000 for _ in range(100))), 413)
    sentence(client.post(call, content=b" " * (LARGEST + 1)), 413)
    assert client.get("/game/state").json() == before


def test_unknown_addresses_and_methods(client: TestClient) -> None:
    """404 and 405, as sentences too."""
    sentence(client.get("/nothing"), 404)
    sentence(client.get("/static/nothing.js"), 404)
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/css/../../app.py"):
        sentence(client.get(path), 404)
    sentence(client.post("/games"), 405)
    sentence(client.get("/move"), 405)


def test_stats_before_there_are_any(client: TestClient) -> None:
    """Zeros, and a message."""
    stats = client.get("/stats").json()
    assert (stats["step"], stats["epoch"], stats["loss"], stats["games_played"]) == (0, 0, 0, 0)
    assert stats["history"] == []
    assert stats["message"]


def test_stats_are_the_file_and_old_names(tmp_path: Path, client: TestClient) -> None:
    """All that stats.json holds, also what is not known here; `epoch`, `loss` and `games_played` for old pages."""
    put_stats(tmp_path, "tictactoe", 200, something_new=[1, 2])
    write_bytes(tmp_path / "actor_stats.json", json.dumps({"env_id": "tictactoe", "episodes_completed": 77}).encode())
    time.sleep(1.1)  # runs are looked for once a second
    stats = client.get("/stats").json()
    assert stats.items() >= json.loads((tmp_path / "stats.json").read_text()).items()
    assert (stats["epoch"], stats["loss"], stats["games_played"]) == (200, stats["total_loss"], 77)
    put_stats(tmp_path, "tictactoe", 210)
    assert client.get("/stats").json()["step"] == 210


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"",
            b"{",
            b"[]",
            b'{"total_loss": NaN}',
            b"\x00\xff",
            b"null",
            b'{"further": 1e999}',
            b'{"further": "\\ud800"}',
        ),
        *(b'{"step": "7"}', b'{"step": 1e300}', b'{"history": [{}]}', b'{"history": 3}', b'{"eval_history": [7]}'),
        b'{"eval_history": [{"step": 1, "timestamp": "now"}]}',
    ],
)
def test_a_broken_stats_file_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    """And it comes alive when the file does."""
    write_bytes(tmp_path / "stats.json", content)
    with client_of(tmp_path) as client:
        stats = client.get("/stats").json()
        assert stats["step"] == 0
        assert "stats.json" in stats["message"]
        put_stats(tmp_path, "tictactoe", 50)
        assert client.get("/stats").json()["step"] == 50


def test_actor_stats(tmp_path: Path, client: TestClient) -> None:
    """The sum that the actors keep; zeros when none ran."""
    names = {
        *("env_id", "episodes_completed", "total_steps", "player1_wins", "player2_wins", "draws"),
        *("avg_episode_length", "episodes_per_second", "runtime_seconds", "mcts_avg_inference_us", "timestamp"),
    }
    blank = client.get("/actor-stats").json()
    assert blank.keys() >= names
    assert all(blank[name] == 0 for name in names - {"env_id"})
    write_bytes(
        tmp_path / "actor_stats.json",
        json.dumps({"env_id": "connect4", "episodes_completed": 12, "draws": 3, "actors": {"a": {}}}).encode(),
    )
    time.sleep(1.1)
    found = client.get("/actor-stats").json()
    assert (found["env_id"], found["episodes_completed"], found["draws"], found["total_steps"]) == (
        "connect4",
        12,
        3,
        0,
    )


def test_model(tmp_path: Path) -> None:
    """Not there, there, replaced, broken: `status` says it, and the last good model stays."""
    with client_of(tmp_path) as client:
        model = client.get("/model").json()
        assert model["loaded"] is False
        assert model["path"] is model["file_modified"] is model["loaded_at"] is model["training_step"] is None
        assert "no model" in model["status"]
        put_model(tmp_path, "tictactoe", step=100)
        time.sleep(1.1)
        model = client.get("/model").json()
        assert (model["loaded"], model["training_step"]) == (True, 100)
        assert model["path"].endswith("models/latest.onnx")
        assert abs(model["file_modified"] - time.time()) < 60
        assert abs(model["loaded_at"] - time.time()) < 60
        put_model(tmp_path, "tictactoe", step=200)
        time.sleep(0.3)
        assert client.get("/model").json()["training_step"] == 200
        write_bytes(tmp_path / "models" / "latest.onnx", b"broken")
        time.sleep(0.3)
        model = client.get("/model").json()
        assert (model["loaded"], model["training_step"]) == (True, 200)
        assert "can't be used" in model["status"]
    sentence(client.get("/model?game=chess"), 404)


def test_a_broken_model_alone_is_said_in_the_game(tmp_path: Path) -> None:
    """Uniform-guess search plays meanwhile."""
    write_bytes(tmp_path / "tictactoe" / "models" / "latest.onnx", b"broken")
    with client_of(tmp_path) as client:
        state = client.post("/game/new", json={"first": "bot"}).json()
        assert "can't be used" in state["message"]
        assert state["bot_move"] is not None


def test_a_model_swap_does_not_break_a_game(tmp_path: Path) -> None:
    """The next answer is the new model's, on the same board."""
    put_model(tmp_path, "tictactoe", favourite=0, step=1)
    with client_of(tmp_path) as client:
        client.post("/game/new", json={"first": "player", "simulations": 0})
        assert client.post("/move", json={"position": 4}).json()["bot_move"] == 0
        put_model(tmp_path, "tictactoe", favourite=8, step=2)
        time.sleep(0.3)
        state = client.post("/move", json={"position": 1}).json()
        assert (state["bot_move"], state["model_step"]) == (8, 2)
        assert state["moves"] == [4, 0, 1, 8]
        shutil.rmtree(tmp_path / "models")
        assert client.post("/move", json={"position": 7}).json()["winner"] == 1


def test_a_model_of_another_game_does_not_make_the_run_one_of_that_game(tmp_path: Path) -> None:
    """Also where nothing but the model told what the run's game is."""
    put_model(tmp_path / "some-run", "tictactoe", favourite=8, step=3)
    with client_of(tmp_path) as client:
        assert client.get("/model?game=tictactoe").json()["training_step"] == 3
        put_model(tmp_path / "some-run", "connect4", step=4)
        time.sleep(0.3)
        model = client.get("/model?game=tictactoe").json()
        assert model["training_step"] == 3
        assert "is a model for another game" in model["status"]
        assert client.get("/model?game=connect4").json()["loaded"] is False


def test_several_runs_each_with_its_game(tmp_path: Path) -> None:
    """A folder a run; each game is played by its own newest model, and the figures of a run are picked by name."""
    put_model(tmp_path / "connect4", "connect4", favourite=2, step=5)
    put_model(tmp_path / "tictactoe", "tictactoe", favourite=8, step=7)
    put_model(tmp_path / "second-try", "tictactoe", favourite=6, step=9)
    put_stats(tmp_path / "second-try", "tictactoe", 90)
    put_stats(tmp_path / "connect4", "connect4", 50)
    with client_of(tmp_path) as client:
        runs = client.get("/runs").json()
        assert [(run["name"], run["env_id"], run["has_model"]) for run in runs["runs"]] == [
            ("connect4", "connect4", True),
            ("second-try", "tictactoe", True),
            ("tictactoe", "tictactoe", True),
        ]
        assert runs["default"] == "connect4"
        assert client.get("/stats?run=second-try").json()["step"] == 90
        assert client.get("/stats?run=connect4").json()["step"] == 50
        assert client.get("/model?game=tictactoe").json()["training_step"] == 9
        begin = {"first": "bot", "simulations": 0}
        assert client.post("/game/new", json={**begin, "game": "connect4"}).json()["bot_move"] == 2
        assert client.post("/game/new", json={**begin, "game": "tictactoe"}).json()["bot_move"] == 6
        for name in ("..", "/etc", "../..", "nothing", "%00"):
            for call in ("/stats", "/actor-stats", "/events", "/replay/games", "/replay/game"):
                sentence(client.get(call, params={"run": name}), 404)


def test_figures_of_a_run_tell_of_its_own_model(tmp_path: Path) -> None:
    """Though a newer run of the same game has a newer one, which plays; a run without a model tells of none."""
    put_model(tmp_path / "old", "tictactoe", step=100)
    put_model(tmp_path / "new", "tictactoe", step=200)
    put_stats(tmp_path / "tictactoe", "tictactoe", 10)
    runs = Runs(tmp_path)
    steps = {name: (figures_of(runs, runs.pick(name))["model"] or {}).get("training_step") for name in ("old", "new")}
    assert steps == {"old": 100, "new": 200}
    assert figures_of(runs, runs.pick("tictactoe"))["model"] is None


def test_a_folder_that_can_not_be_read_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as lost+found beside the runs; the others are shown."""
    put_stats(tmp_path / "good", "tictactoe", 10)
    (tmp_path / "lost+found").mkdir()
    stat = os.stat

    def guarded(path: Any, **further: Any) -> os.stat_result:
        if "lost+found/" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **further)

    monkeypatch.setattr(os, "stat", guarded)
    with client_of(tmp_path) as client:
        assert [run["name"] for run in client.get("/runs").json()["runs"]] == ["good"]


def test_two_servers_on_one_machine_keep_their_games_apart(tmp_path: Path) -> None:
    """A browser sends its cookies to every port of a host: each server knows its own by the name."""
    with client_of(tmp_path) as one, client_of(tmp_path) as other:
        other.base_url = "http://127.0.0.1:8081"
        other.cookies = one.cookies.jar
        for browser in (one, other):
            browser.post("/game/new", json={"game": "tictactoe"})
        one.post("/move", json={"position": 4})
        other.get("/game/state")
        assert one.get("/game/state").json()["ply"] == 2
        assert other.get("/game/state").json()["ply"] == 0


def test_a_run_whose_model_alone_tells_its_game(tmp_path: Path) -> None:
    """A model without metadata, from elsewhere, is known by its shapes."""
    put_model(tmp_path / "from-elsewhere", "othello", favourite=19)
    with client_of(tmp_path) as client:
        assert client.get("/runs").json()["runs"][0]["env_id"] == "othello"
        state = client.post("/game/new", json={"first": "bot", "game": "othello", "simulations": 0}).json()
        assert state["bot_move"] == 19


def test_a_run_whose_model_comes_later(tmp_path: Path) -> None:
    """A folder that tells nothing is asked again when a model lies in it."""
    (tmp_path / "some-run" / "models").mkdir(parents=True)
    with client_of(tmp_path) as client:
        assert client.get("/runs").json()["runs"][0]["env_id"] is None
        put_model(tmp_path / "some-run", "connect4", favourite=3)
        assert client.get("/runs").json()["runs"][0]["env_id"] == "connect4"
        assert client.get("/model?game=connect4").json()["loaded"] is True


def test_simulations(tmp_path: Path) -> None:
    """0 is the raw policy, which a blunder pleases; with search the win is seen. They change in the middle of a game."""
    put_model(tmp_path, "tictactoe", favourite=8)
    with client_of(tmp_path) as client:
        client.post("/game/new", json={"first": "player", "simulations": 0})
        assert client.post("/move", json={"position": 0}).json()["bot_move"] == 8
        assert client.post("/game/settings", json={"simulations": 200}).json()["simulations"] == 200
        assert client.post("/move", json={"position": 1}).json()["bot_move"] == 2
        sentence(client.post("/game/settings", json={"simulations": 900}), 400)


def test_mind(tmp_path: Path) -> None:
    """Visits, priors and values of each legal move, for any position of the game."""
    put_model(tmp_path, "tictactoe", favourite=8)
    with client_of(tmp_path) as client:
        client.post("/game/new", json={"first": "player", "simulations": 60})
        client.post("/move", json={"position": 4})
        mind = client.get("/game/mind", params={"ply": 1}).json()
        assert (mind["mover"], mind["simulations"], mind["ply"]) == (2, 60, 1)
        assert [thought["action"] for thought in mind["thoughts"]] == [0, 1, 2, 3, 5, 6, 7, 8]
        assert sum(thought["prior"] for thought in mind["thoughts"]) == pytest.approx(1, abs=1e-4)
        assert sum(thought["share"] for thought in mind["thoughts"]) == pytest.approx(1, abs=1e-4)
        assert max(mind["thoughts"], key=lambda thought: thought["prior"])["action"] == 8
        assert -1 <= mind["value"] <= 1
        assert client.get("/game/mind").json()["ply"] == 2
        for ply in ("3", "-1", "x", "1.5", "99999", "²"):
            sentence(client.get("/game/mind", params={"ply": ply}), 400)


def test_mind_shows_the_priors_of_the_network_whatever_the_search_makes_of_them(tmp_path: Path) -> None:
    """The same without simulations and with them, though a search softens them; without, they are the shares as well."""
    put_model(tmp_path, "tictactoe", favourite=8)
    position = Position.first(rules_of("tictactoe"))
    model = load_model(tmp_path / "models" / "latest.onnx", "tictactoe", 29, 9)
    prior, _ = model(position.observation[None], np.ones((1, 9), np.bool_))
    with client_of(tmp_path) as client:
        for simulations in (0, 60):
            client.post("/game/new", json={"first": "player", "simulations": simulations})
            thoughts = client.get("/game/mind").json()["thoughts"]
            assert [thought["prior"] for thought in thoughts] == pytest.approx(prior[0].tolist(), rel=1e-6)
            shares = [thought["share"] for thought in thoughts]
            assert (shares == pytest.approx(prior[0].tolist(), rel=1e-6)) == (simulations == 0)


def test_mind_proves_a_win_for_the_one_who_has_the_move(client: TestClient) -> None:
    """X on 0 and 1 to move wins on 2, and the value is X's +1."""
    client.post("/game/new", json={"first": "player", "simulations": 0})
    client.post("/move", json={"position": 1})  # the uniform raw policy answers on the first empty cell, 0
    client.post("/move", json={"position": 4})  # 2
    client.post("/game/settings", json={"simulations": 100})
    mind = client.get("/game/mind").json()
    winning = next(thought for thought in mind["thoughts"] if thought["action"] == 7)
    assert (mind["best"], mind["value"]) == (7, 1)
    assert (winning["proven"], winning["value"], winning["share"]) == ("win", 1, 1)


def test_undo(client: TestClient) -> None:
    """The person's last move and the answer are gone; as second player the model's first move stays."""
    start = client.post("/game/new", json={"first": "player"}).json()
    sentence(client.post("/game/undo"), 400)
    client.post("/move", json={"position": 4})
    assert client.post("/game/undo").json()["board"] == start["board"]
    start = client.post("/game/new", json={"first": "bot"}).json()
    client.post("/move", json={"position": start["legal_moves"][0]})
    assert client.post("/game/undo").json()["board"] == start["board"]
    sentence(client.post("/game/undo"), 400)
    ended = play_out(client, "tictactoe")
    assert client.post("/game/undo").json()["game_over"] is False
    assert ended["game_over"] is True


def test_moves_can_be_stepped_through(client: TestClient) -> None:
    """Every board of the game so far."""
    client.post("/game/new", json={"first": "player", "simulations": 0})
    state = client.post("/move", json={"position": 4}).json()
    plies = client.get("/game/moves").json()["plies"]
    assert [ply["action"] for ply in plies] == [4, 0, None]
    assert [ply["mover"] for ply in plies] == [1, 2, 1]
    assert plies[0]["board"] == [0] * 9
    assert plies[2]["board"] == state["board"]


def test_changes_show_what_a_move_would_do(client: TestClient) -> None:
    """Where a disc falls, and what Othello flips, the new stone first."""
    state = client.post("/game/new", json={"first": "player", "game": "othello"}).json()
    assert state["changes"] == {"19": [19, 27], "26": [26, 27], "37": [37, 36], "44": [44, 36]}
    state = client.post("/game/new", json={"first": "player", "game": "connect4", "simulations": 0}).json()
    state = client.post("/move", json={"position": 0}).json()
    assert state["changes"]["0"] == [14]


def test_the_winning_line(client: TestClient) -> None:
    """Four in a row are told; the model stacks on column 0."""
    client.post("/game/new", json={"first": "player", "game": "connect4", "simulations": 0})
    for column in (3, 4, 5):
        client.post("/move", json={"position": column})
    assert client.post("/move", json={"position": 6}).json()["winning_line"] == [3, 4, 5, 6]


X_WINS, O_WINS, DRAWN = [0, 3, 1, 4, 2], [0, 3, 1, 4, 8, 5], [0, 1, 2, 4, 3, 5, 7, 6, 8]


def test_stored_games_are_listed_newest_first(tmp_path: Path) -> None:
    """With their results; filtered by result; `next` goes on where an answer ended."""
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


def test_stored_games_by_model_step(tmp_path: Path) -> None:
    """The newest model at the time a game was stored is known by the run's own times."""
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
    """The board, the move, the policy target, the value and the outcome, as the mover sees them."""
    store_games(tmp_path, "tictactoe", [O_WINS])
    with client_of(tmp_path) as client:
        game = client.get("/replay/game", params={"episode": "test-game-000"}).json()
        assert (game["env_id"], game["winner"]) == ("tictactoe", 2)
        assert [ply["action"] for ply in game["plies"]] == [*O_WINS, None]
        first, second = game["plies"][:2]
        assert first["visits"]["0"] == pytest.approx(0.75 + 0.25 / 9)
        assert second["visits"] is None
        assert (first["value"], first["outcome"], second["outcome"]) == (0.5, -1, 1)
        assert game["plies"][-1]["board"] == [1, 1, 0, 2, 2, 2, 0, 0, 1]
        sentence(client.get("/replay/game", params={"episode": "' OR 1=1 --"}), 404)
        sentence(client.get("/replay/game"), 404)


def test_a_stored_game_counts_its_moves_from_the_first(tmp_path: Path) -> None:
    """Also where random moves before the recorded ones are not stored: list and game agree."""
    store_games(tmp_path, "tictactoe", [O_WINS])
    with sqlite3.connect(tmp_path / "replay.db") as connection:
        connection.execute("DELETE FROM transitions WHERE step_number < 2")
    connection.close()
    with client_of(tmp_path) as client:
        assert client.get("/replay/games").json()["games"][0]["plies"] == len(O_WINS)
        plies = client.get("/replay/game", params={"episode": "test-game-000"}).json()["plies"]
        assert [ply["ply"] for ply in plies] == list(range(2, len(O_WINS) + 1))


def test_no_replay_database_or_a_broken_one(tmp_path: Path) -> None:
    """A sentence, until there is one."""
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
        *(
            "state = x'0102'",
            "state = 'abcdefghijk'",
            "state = x'0000000000000000000900'",
            "action = 3",
            "step_number = 'two'",
            "policy_probs = 7",
        ),
        *("state = x'0700000000000000000100'", "state = x'0000000000000000000107'"),
    ],
)
def test_a_stored_game_that_does_not_fit_its_rules(tmp_path: Path, damage: str) -> None:
    """A state of another length or kind is refused with a sentence, not shown wrongly."""
    store_games(tmp_path, "tictactoe", [X_WINS])
    with sqlite3.connect(tmp_path / "replay.db") as connection:
        connection.execute(f"UPDATE transitions SET {damage} WHERE step_number = {len(X_WINS) - 1}")
    connection.close()
    with client_of(tmp_path) as client:
        sentence(client.get("/replay/game", params={"episode": "test-game-000"}), 422)


def test_stored_games_with_values_of_the_wrong_kind_are_left_out(tmp_path: Path) -> None:
    """The others are listed."""
    store_games(tmp_path, "tictactoe", [X_WINS, X_WINS, X_WINS])
    with sqlite3.connect(tmp_path / "replay.db") as connection:
        connection.execute("UPDATE transitions SET timestamp = 'noon' WHERE episode_id = 'test-game-000'")
        connection.execute("UPDATE transitions SET episode_id = x'01' WHERE episode_id = 'test-game-001'")
    connection.close()
    with client_of(tmp_path) as client:
        assert [game["episode_id"] for game in client.get("/replay/games").json()["games"]] == ["test-game-002"]


def test_answers_do_not_wait_for_the_other_side(tmp_path: Path) -> None:
    """A small second packet would otherwise be held back until the first is acknowledged, some 40 ms."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_page_and_its_headers(client: TestClient) -> None:
    """Every answer carries the policy; nothing of the page comes from elsewhere."""
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for path in ("/", "/health", "/nothing", "/static/main.js"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert client.get(path).headers["x-content-type-options"] == "nosniff"
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text
    tag = client.get("/static/main.js").headers["etag"]
    assert client.get("/static/main.js", headers={"if-none-match": tag}).status_code == 304


def test_no_other_origin_reads_answers_unless_it_is_allowed(tmp_path: Path) -> None:
    """No CORS header by default; with --allow-origin for that origin alone, with its cookie."""
    origin = {"origin": "http://localhost:5173"}
    with client_of(tmp_path) as client:
        assert "access-control-allow-origin" not in client.get("/stats", headers=origin).headers
    with client_of(tmp_path, allow_origin=["http://localhost:5173"]) as client:
        headers = client.get("/stats", headers=origin).headers
        assert headers["access-control-allow-origin"] == "http://localhost:5173"
        assert headers["access-control-allow-credentials"] == "true"
        other = client.get("/stats", headers={"origin": "http://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_another_host_name_is_refused(client: TestClient) -> None:
    """A page elsewhere whose name is rebound to this machine gets nothing."""
    sentence(client.get("/stats", headers={"host": "evil.example:8080"}), 421)
    assert client.get("/stats", headers={"host": "localhost:8080"}).status_code == 200


def test_a_bug_is_a_sentence_without_its_details(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log has the rest."""
    monkeypatch.setattr("trainer.web.statistics.stats_of", lambda run: 1 / 0)
    app = build_app(tmp_path, Limits())
    with TestClient(app, base_url=HOME, raise_server_exceptions=False) as client:
        response = client.get("/stats")
        assert response.status_code == 500
        assert "division" not in response.text


def test_settings_that_can_not_work() -> None:
    """Each names its flag."""
    for wrong, flag in (
        ({"port": 70000}, "--port"),
        ({"max_sessions": 0}, "--max-sessions"),
        ({"session_minutes": 0.0}, "--session-minutes"),
        ({"allow_origin": ("*",)}, "--allow-origin"),
        ({"allow_origin": ("http://a.example/path",)}, "--allow-origin"),
    ):
        with pytest.raises(ConfigError, match=flag):
            WebConfig(**wrong).check()  # type: ignore[arg-type]


def test_a_port_that_is_taken() -> None:
    """The error says what to do."""
    with listen("127.0.0.1", 0) as taken, pytest.raises(ConfigError, match="--port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_live_changes_hold_only_new_points() -> None:
    """The first event has the whole history, later ones what was added; a run that began anew has all of it again."""

    def figures(*steps: int) -> dict[str, Any]:
        stats = {"step": steps[-1] if steps else 0, "history": [{"step": step} for step in steps]}
        return {"run": "a", "stats": stats | {"eval_history": [{"step": step + 1} for step in steps]}}

    assert change(None, figures(10, 20)) == figures(10, 20) | {"added": False}
    later = change(figures(10, 20), figures(10, 20, 30))
    assert later["added"]
    assert later["stats"] == {"step": 30, "history": [{"step": 30}], "eval_history": [{"step": 31}]}
    assert change(figures(10, 20), figures(10)) == figures(10) | {"added": False}
    assert change(figures(10), figures(10, 20) | {"run": "b"})["added"] is False
