"""Playing: every call that starts a game, moves in it or looks back at it, with good and bad requests."""

from __future__ import annotations

import asyncio
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from event_loops import noting_loops
from run_files import put_model
from starlette.testclient import TestClient
from waiting import PATIENCE, wait_until
from web_client import client_of, sentence

from trainer.core.files import write_bytes
from trainer.web.api import play
from trainer.web.game.search_pool import SearchPool
from trainer.web.game.sessions import Sessions
from trainer.web.runs.models import Models

BOARDS = Path(__file__).parents[1] / "support" / "boards"
STATE = {"board", "current_player", "human_player", "winner", "game_over", "legal_moves", "message"}
"""The fields of a game state in the contract."""


def test_a_game_state_without_a_session_starts_tictactoe_with_the_player_first(client: TestClient) -> None:
    """The browser keeps it by its cookie."""
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


def test_a_game_state_without_a_session_starts_the_game_that_it_asks_for(client: TestClient) -> None:
    """With its settings, which must be valid. In a game that goes on they count for nothing."""
    for query, status in (({"game": "chess"}, 404), ({"first": "nobody"}, 400)):
        sentence(client.get("/game/state", params=query), status)
    for simulations in ("-1", "801", "1.5", "", "\u00b2", "9" * 5000):
        sentence(client.get("/game/state", params={"simulations": simulations}), 400)
    assert not client.cookies
    state = client.get("/game/state", params={"game": "connect4", "first": "bot", "simulations": "20"}).json()
    assert (state["game"], state["human_player"], state["simulations"]) == ("connect4", 2, 20)
    assert state["moves"] == state["bot_moves"] == [state["bot_move"]]
    again = client.get("/game/state", params={"game": "othello", "first": "player", "simulations": "900"}).json()
    assert again == {key: state[key] for key in again}
    assert "bot_moves" not in again


def test_a_game_without_a_model_is_played_by_uniform_guess_search(client: TestClient) -> None:
    """The message says so."""
    state = client.post("/game/new", json={"first": "player", "game": "connect4"}).json()
    assert "no model" in state["message"]
    assert "uniform" in state["message"]
    assert len(state["board"]) == 42


def test_the_model_may_move_first(client: TestClient) -> None:
    """Its first move is on the board, and the person is second."""
    state = client.post("/game/new", json={"first": "bot", "game": "othello"}).json()
    assert state["human_player"] == state["current_player"] == 2
    assert sum(cell != 0 for cell in state["board"]) == 5
    assert state["bot_move"] in range(64)


def test_a_new_game_is_by_default_the_game_of_the_session(client: TestClient) -> None:
    """Without a session it is tic-tac-toe."""
    assert client.post("/game/new", json={"first": "player"}).json()["game"] == "tictactoe"
    client.post("/game/new", json={"first": "player", "game": "connect4"})
    assert client.post("/game/new", json={"first": "bot"}).json()["game"] == "connect4"


def test_a_new_game_with_invalid_fields_is_refused(client: TestClient) -> None:
    """Unknown games and seats, impossible numbers of simulations; no session is started."""
    sentence(client.post("/game/new", json={"first": "player", "game": "chess"}), 404)
    sentence(client.post("/game/new", json={"first": "player", "game": ["othello"]}), 404)
    for first in ("nobody", 1, None, ["bot"]):
        sentence(client.post("/game/new", json={"first": first}), 400)
    for simulations in (-1, 801, 1.5, "10", True, None):
        sentence(client.post("/game/new", json={"first": "player", "simulations": simulations}), 400)
    assert not client.cookies


def test_a_move_is_answered(client: TestClient) -> None:
    """The answer is a game state plus `bot_move`; both moves are on the board."""
    client.post("/game/new", json={"first": "player"})
    state = client.post("/move", json={"position": 4}).json()
    assert state.keys() >= STATE
    assert state["board"][4] == 1
    assert state["board"][state["bot_move"]] == 2
    assert state["current_player"] == 1


def test_connect4_counts_its_cells_from_the_bottom_row(tmp_path: Path) -> None:
    """The first disc in column 3 lies in cell 3."""
    put_model(tmp_path, "connect4", favourite=6)
    with client_of(tmp_path) as client:
        client.post("/game/new", json={"first": "player", "game": "connect4", "simulations": 0})
        state = client.post("/move", json={"position": 3}).json()
    assert (state["board"][3], state["board"][6], state["bot_move"]) == (1, 2, 6)


@pytest.mark.parametrize("position", [4, 9, -1, 1.0, "3", None, True, [3], {}, 10**30])
def test_an_illegal_move_changes_nothing(client: TestClient, position: object) -> None:
    """Taken cells, cells off the board, and values that are not whole numbers."""
    client.post("/game/new", json={"first": "player"})
    client.post("/move", json={"position": 4})
    before = client.get("/game/state").json()
    sentence(client.post("/move", json={"position": position}), 400)
    assert client.get("/game/state").json() == before


def play_out(client: TestClient, game: str, first: str = "player") -> dict[str, Any]:
    """The last answer of a game in which both sides play the first legal move. A pass is posted like any move."""
    state: dict[str, Any] = client.post("/game/new", json={"first": first, "game": game, "simulations": 0}).json()
    while not state["game_over"]:
        state = client.post("/move", json={"position": state["legal_moves"][0]}).json()
    return state


@pytest.mark.parametrize("game", ["tictactoe", "connect4", "othello"])
def test_a_finished_game_accepts_no_move(client: TestClient, game: str) -> None:
    """Its state stays the same. `bot_move` is null if the person made the last move."""
    state = play_out(client, game)
    assert state["winner"] in (1, 2, 3)
    assert state["legal_moves"] == []
    if state["current_player"] == state["human_player"]:
        assert state["bot_move"] is None
    sentence(client.post("/move", json={"position": 0}), 400)
    after = client.get("/game/state").json()
    assert {**after, "bot_move": 0, "bot_moves": 0} == {**state, "bot_move": 0, "bot_moves": 0}


def test_a_forced_pass_is_posted(client: TestClient) -> None:
    """As action 64; at least one of these two games of Othello has one."""
    passes = 0
    for first in ("player", "bot"):
        state = client.post("/game/new", json={"first": first, "game": "othello", "simulations": 0}).json()
        while not state["game_over"]:
            passes += state["legal_moves"] == [64]
            state = client.post("/move", json={"position": state["legal_moves"][-1]}).json()
    assert passes > 0


def test_moving_while_the_model_thinks_is_out_of_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second move of the same browser is refused, and only the first one counts. Who asks for the game waits."""
    analyse = SearchPool.analyse
    thinking, answered = threading.Event(), threading.Event()

    of_game, asked = Models.of_game, threading.Event()

    def noted(*arguments: Any) -> Any:
        asked.set()
        return of_game(*arguments)

    async def waiting(*arguments: Any) -> Any:
        thinking.set()
        while not answered.is_set():
            await asyncio.sleep(0.01)
        return await analyse(*arguments)

    with client_of(tmp_path) as client:
        client.get("/game/state")
        monkeypatch.setattr(SearchPool, "analyse", waiting)
        with ThreadPoolExecutor() as threads:
            first = threads.submit(client.post, "/move", json={"position": 4})
            assert thinking.wait(PATIENCE)
            second = client.post("/move", json={"position": 0})
            monkeypatch.setattr(Models, "of_game", noted)
            seen = threads.submit(client.get, "/game/state")
            assert asked.wait(PATIENCE)
            answered.set()
        assert "turn" in sentence(second, 400)
        assert seen.result().json()["moves"] == first.result().json()["moves"]
        assert first.result().status_code == 200
        state = client.get("/game/state").json()
        assert state["ply"] == 2
        assert state["board"][4] == 1


def test_a_move_is_made_while_another_request_asks_for_the_game(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as that of a second tab. Nobody thinks then; the move waits until the state has been read."""
    reading, asked, read = threading.Event(), threading.Event(), threading.Event()
    state_of, session_of = play.state_of, Sessions.of

    def slow(*arguments: Any) -> Any:
        reading.set()
        assert read.wait(PATIENCE)
        return state_of(*arguments)

    def noted(*arguments: Any) -> Any:
        asked.set()
        return session_of(*arguments)

    with client_of(tmp_path) as client:
        client.post("/game/new", json={"first": "player"})
        monkeypatch.setattr(play, "state_of", slow)
        with ThreadPoolExecutor() as threads:
            try:
                seen = threads.submit(client.get, "/game/state")
                assert reading.wait(PATIENCE)
                monkeypatch.setattr(Sessions, "of", noted)
                moved = threads.submit(client.post, "/move", json={"position": 4})
                assert asked.wait(PATIENCE)
                asked.clear()
                again = threads.submit(client.post, "/move", json={"position": 0})
                assert asked.wait(PATIENCE)
            finally:
                read.set()
        assert seen.result().json()["moves"] == []
        answers = [
            moved.result(),
            again.result(),
        ]  # whichever comes first is played, the other was meant for that position
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        assert next(answer for answer in answers if answer.status_code == 200).json()["moves"][0] in (0, 4)


def test_a_move_is_taken_back_if_the_answer_to_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person can make it again."""

    async def failing(*_: Any) -> Any:
        raise RuntimeError("the model can't think")

    with client_of(tmp_path) as client:
        client.post("/game/new", json={"first": "player"})
        before = client.get("/game/state").json()
        with monkeypatch.context() as broken:
            broken.setattr(SearchPool, "analyse", failing)
            sentence(client.post("/move", json={"position": 4}), 500)
        assert client.get("/game/state").json() == before
        assert client.post("/move", json={"position": 4}).json()["ply"] == 2


def test_a_game_says_that_its_only_model_is_broken(tmp_path: Path) -> None:
    """Uniform-guess search plays meanwhile."""
    write_bytes(tmp_path / "tictactoe" / "models" / "latest.onnx", b"broken")
    with client_of(tmp_path) as client:
        state = client.post("/game/new", json={"first": "bot"}).json()
        assert "can't be used" in state["message"]
        assert state["bot_move"] is not None


def test_rules_that_are_edited_while_the_page_serves_them(tmp_path: Path) -> None:
    """Their game isn't played by other rules than those that were read; the sentence says what to do."""
    rules = tmp_path / "points.py"
    own_id = "test-edited-points"  # a name that no other test compiles in this process
    for changed in (b"# edited", None):
        rules.write_bytes((BOARDS / "points.py").read_bytes().replace(b"test-points", own_id.encode()))
        with client_of(tmp_path / "runs", games=[str(rules)]) as client:
            rules.write_bytes(changed) if changed else rules.unlink()
            refused = client.post("/game/new", json={"first": "player", "game": own_id})
            assert refused.status_code == 422
            assert refused.text.endswith(
                "was changed after this process had read it; start the command, or Python, again."
            )


def test_a_game_goes_on_when_the_model_is_replaced(tmp_path: Path) -> None:
    """The next answer on the same board is the new model's; the model stays in use when its file is deleted."""
    put_model(tmp_path, "tictactoe", favourite=0, step=1)
    with client_of(tmp_path) as client:
        client.post("/game/new", json={"first": "player", "simulations": 0})
        assert client.post("/move", json={"position": 4}).json()["bot_move"] == 0
        put_model(tmp_path, "tictactoe", favourite=8, step=2)
        wait_until(lambda: client.get("/model").json()["training_step"] == 2, "the new model isn't loaded")
        state = client.post("/move", json={"position": 1}).json()
        assert (state["bot_move"], state["model_step"]) == (8, 2)
        assert state["moves"] == [4, 0, 1, 8]
        shutil.rmtree(tmp_path / "models")
        assert client.post("/move", json={"position": 7}).json()["winner"] == 1


def test_simulations(tmp_path: Path) -> None:
    """0 plays the raw policy, here a blunder; with search the model finds the win. They can change during a game."""
    put_model(tmp_path, "tictactoe", favourite=8)
    with client_of(tmp_path) as client:
        client.post("/game/new", json={"first": "player", "simulations": 0})
        assert client.post("/move", json={"position": 0}).json()["bot_move"] == 8
        assert client.post("/game/settings", json={"simulations": 200}).json()["simulations"] == 200
        assert client.post("/move", json={"position": 1}).json()["bot_move"] == 2
        sentence(client.post("/game/settings", json={"simulations": 900}), 400)


def test_undo(client: TestClient) -> None:
    """It takes back the person's last move and the answer to it. A first move of the model stays."""
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


def test_moves_lists_every_position_of_the_game(client: TestClient) -> None:
    """With its board, its mover and the move made there."""
    client.post("/game/new", json={"first": "player", "simulations": 0})
    state = client.post("/move", json={"position": 4}).json()
    plies = client.get("/game/moves").json()["plies"]
    assert [ply["action"] for ply in plies] == [4, 0, None]
    assert [ply["mover"] for ply in plies] == [1, 2, 1]
    assert plies[0]["board"] == [0] * 9
    assert plies[2]["board"] == state["board"]


def test_changes_are_the_cells_that_a_move_would_change(client: TestClient) -> None:
    """The cell of the new stone first, then the discs that Othello flips."""
    state = client.post("/game/new", json={"first": "player", "game": "othello"}).json()
    changes = {choice["action"]: choice["changes"] for choice in state["choices"]}
    assert changes == {19: [19, 27], 26: [26, 27], 37: [37, 36], 44: [44, 36]}
    assert state["choices"][0] == {"action": 19, "name": "d3", "cells": [19], "changes": [19, 27], "codes": [1, 1]}
    state = client.post("/game/new", json={"first": "player", "game": "connect4", "simulations": 0}).json()
    state = client.post("/move", json={"position": 0}).json()
    assert state["choices"][0] == {"action": 0, "name": "1", "cells": [0], "changes": [14], "codes": [1]}


def test_a_game_state_does_not_delay_other_answers(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its choices are worked out in a thread beside that of the event loop, which serves everybody."""
    loops = noting_loops(monkeypatch, play, "state_of")
    assert client.get("/game/state").status_code == 200
    assert loops == [None]


def test_the_winning_line(client: TestClient) -> None:
    """Four in a row, while the model stacks its discs on column 0."""
    client.post("/game/new", json={"first": "player", "game": "connect4", "simulations": 0})
    for column in (3, 4, 5):
        client.post("/move", json={"position": column})
    assert client.post("/move", json={"position": 6}).json()["winning_line"] == [3, 4, 5, 6]


def test_the_model_moves_as_often_as_it_is_its_turn(tmp_path: Path) -> None:
    """Here it closes two boxes in a row. So may the person; then the model doesn't answer, and undo takes back that move."""
    with client_of(tmp_path, games=[str(BOARDS / "edges.py")]) as client:
        client.post("/game/new", json={"first": "player", "game": "test-edges", "simulations": 0})
        for edge in (2, 5):
            client.post("/move", json={"position": edge})
        state = client.post("/move", json={"position": 6}).json()
        assert state["moves"] == [2, 0, 5, 1, 6, 3, 4]
        assert (state["bot_move"], state["bot_moves"], state["winner"]) == (4, [3, 4], 2)
        plies = client.get("/game/moves").json()["plies"]
        assert [ply["name"] for ply in plies[-3:]] == ["c2", "e2", None]
        assert [ply["score"] for ply in plies[-3:]] == [[0, 0], [0, 1], [0, 2]]
        client.post("/game/new", json={"first": "player", "game": "test-edges", "simulations": 0})
        for edge in (5, 2):
            client.post("/move", json={"position": edge})
        state = client.post("/move", json={"position": 3}).json()
        assert (state["bot_move"], state["bot_moves"], state["current_player"]) == (None, [], 1)
        assert client.post("/game/undo").json()["moves"] == [5, 0, 2, 1]


def test_an_env_id_with_parameters(tmp_path: Path) -> None:
    """It is part of an address and of a request."""
    rules = (BOARDS / "hexagons.py").read_text().replace("SIZE = 3", 'SIZE = parameter("size", 3, least=2, most=5)')
    rules = rules.replace("test-hexagons", "test-sizes").partition("import")[2]
    path = tmp_path / "sizes.py"
    path.write_text(f"from trainer.games.parameters import parameter\nimport{rules}")
    with client_of(tmp_path, games=[f"{path}:size=4"]) as client:
        assert client.get("/game-info/test-sizes:size=4").json()["board_width"] == 4
        assert client.get("/game-info/test-sizes%3Asize%3D4").json()["num_actions"] == 16
        state = client.post("/game/new", json={"first": "bot", "game": "test-sizes:size=4", "simulations": 0}).json()
        assert sum(cell != 0 for cell in state["board"]) == 1
