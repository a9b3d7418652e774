"""Which browser plays which game: cookies, expiry, limits."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from waiting import PATIENCE
from web_client import HOME, another_browser, client_of, sentence

from trainer.games import rules_of
from trainer.web.game.analysed_game import AnalysedGame
from trainer.web.game.search_pool import SearchPool
from trainer.web.game.sessions import Sessions


def test_a_move_needs_a_session(client: TestClient) -> None:
    """Without a cookie, or with an unknown one, it is refused."""
    sentence(client.post("/move", json={"position": 0}), 409)
    client.get("/game/state")
    (cookie,) = client.cookies
    client.cookies.clear()
    client.cookies.set(cookie, "made-up")
    sentence(client.post("/move", json={"position": 0}), 409)
    for call in ("/game/undo", "/game/settings"):
        sentence(client.post(call, json={}), 409)
    sentence(client.get("/game/state", params={"game_id": "of-another-server"}), 409)
    sentence(client.get("/game/moves"), 409)
    sentence(client.get("/game/analysis"), 409)


def request_with(sessions: Sessions, key: str) -> Request:
    """A request that carries a session's key."""
    return Request({"type": "http", "headers": [(b"cookie", f"{sessions.cookie}={key}".encode())]})


def test_a_session_expires_when_it_is_idle() -> None:
    """Each use gives it the whole time again."""
    clock = SimpleNamespace(seconds=0.0)
    sessions = Sessions(limit=10, idle_seconds=60, now=lambda: clock.seconds)
    session = sessions.start(
        request_with(sessions, ""), AnalysedGame.new(rules_of("tictactoe"), human=1, simulations=0)
    )
    for clock.seconds in (50.0, 100.0, 160.0):
        assert sessions.of(request_with(sessions, session.key)) is session
    clock.seconds = 221.0
    assert sessions.of(request_with(sessions, session.key)) is None
    assert len(sessions) == 0


def test_the_game_of_an_expired_session_is_gone(tmp_path: Path) -> None:
    """A move is refused, and the state is a new game."""
    with client_of(tmp_path, session_minutes=0) as client:
        client.get("/game/state")
        sentence(client.post("/move", json={"position": 0}), 409)
        assert client.get("/game/state").json()["board"] == [0] * 9


def test_two_browsers_do_not_share_a_board(tmp_path: Path) -> None:
    """Each cookie has its own game, and the keys are too long to guess."""
    with client_of(tmp_path) as one:
        other = another_browser(one)
        one.get("/game/state")
        other.get("/game/state")
        one.post("/move", json={"position": 4})
        assert other.get("/game/state").json()["board"] == [0] * 9
        keys = {key for browser in (one, other) for key in browser.cookies.values()}
        assert len(keys) == 2
        assert all(len(key) >= 32 for key in keys)


def test_a_key_made_up_by_the_browser_is_never_used(client: TestClient) -> None:
    """It gets a key that the server made."""
    client.get("/game/state")
    (cookie,) = client.cookies
    client.cookies.clear()
    client.cookies.set(cookie, "fixed-by-an-attacker")
    response = client.get("/game/state")
    assert response.headers["set-cookie"].startswith(f"{cookie}=")
    assert "fixed-by-an-attacker" not in response.headers["set-cookie"]


def test_the_number_of_sessions_is_limited(tmp_path: Path) -> None:
    """The session that has been idle longest makes room for a new one; one that is in use stays."""
    with client_of(tmp_path, max_sessions=3) as client:
        first = another_browser(client)
        first.get("/game/state")
        first.post("/move", json={"position": 4})
        for _ in range(10):
            another_browser(client).get("/game/state")
            assert first.get("/game/state").json()["board"][4] == 1
        for _ in range(3):
            another_browser(client).get("/game/state")
        sentence(first.post("/move", json={"position": 0}), 409)


def test_a_flood_of_new_sessions_leaves_only_the_newest() -> None:
    """Twenty thousand browsers at once, and a thousand sessions stay."""
    sessions = Sessions(limit=1000, idle_seconds=3600)
    game = AnalysedGame.new(rules_of("tictactoe"), human=1, simulations=0)
    for _ in range(20_000):
        newest = sessions.start(request_with(sessions, ""), game)
    assert len(sessions) == 1000
    assert sessions.of(request_with(sessions, newest.key)) is newest


@pytest.mark.parametrize("address", [HOME, "http://127.0.0.1:8081"], ids=["same port", "other port"])
def test_two_servers_on_one_host_keep_their_games_apart(tmp_path: Path, address: str) -> None:
    """A browser sends a cookie to every port of its host, so each server has a cookie of its own.

    The ports that the servers see may be the same: in containers, whose ports are published under other numbers, and
    behind a proxy that gives each a path.
    """
    with client_of(tmp_path) as one, client_of(tmp_path) as other:
        other.base_url = address
        other.cookies = one.cookies.jar
        for browser in (one, other):
            browser.post("/game/new", json={"game": "tictactoe"})
        one.post("/move", json={"position": 4})
        other.get("/game/state")
        assert one.get("/game/state").json()["ply"] == 2
        assert other.get("/game/state").json()["ply"] == 0


def test_the_cookie_of_an_earlier_server_does_no_harm(tmp_path: Path) -> None:
    """After a restart the game is gone: a move is refused, and the browser gets a game and a cookie of the new server."""
    with client_of(tmp_path) as before:
        before.get("/game/state")
    with client_of(tmp_path) as after:
        after.cookies = before.cookies.jar
        sentence(after.post("/move", json={"position": 4}), 409)
        after.get("/game/state")
        assert after.post("/move", json={"position": 4}).json()["ply"] == 2


def test_the_cookie_lives_as_long_as_the_game(tmp_path: Path) -> None:
    """Each use of the game renews it. A cookie that outlived its game would only be sent to every other server there."""
    with client_of(tmp_path, session_minutes=1.5) as client:
        for response in (
            client.get("/game/state"),
            client.post("/move", json={"position": 4}),
            client.post("/game/settings", json={}),
            client.get("/game/moves"),
            client.get("/game/analysis"),
            client.post("/game/undo"),
        ):
            assert "Max-Age=90;" in response.headers["set-cookie"]


def test_a_request_about_a_replaced_game_is_refused(client: TestClient) -> None:
    """It names its game. The game that replaced it, in another tab of the same browser, stays as it is."""
    shown = client.post("/game/new", json={"game": "tictactoe"}).json()
    newer = client.post("/game/new", json={"game": "connect4"}).json()
    named = {"game_id": shown["game_id"]}
    for response in (
        client.post("/move", json={"position": 4, **named}),
        client.post("/game/undo", json=named),
        client.post("/game/settings", json={"simulations": 800, **named}),
        client.get("/game/state", params=named),
        client.get("/game/moves", params=named),
        client.get("/game/analysis", params={"ply": 0, **named}),
    ):
        assert "Another game" in sentence(response, 412)
    assert client.get("/game/state").json() == {
        key: newer[key] for key in newer if key not in ("bot_move", "bot_moves")
    }
    assert client.post("/move", json={"position": 4, "game_id": newer["game_id"]}).json()["ply"] == 2


def test_a_move_in_a_position_that_has_changed_is_refused(client: TestClient) -> None:
    """It names the moves that its page shows, and another tab has gone on, also if the number of moves is the same."""
    shown = client.post("/game/new", json={"game": "tictactoe"}).json()
    same = {"game_id": shown["game_id"]}
    after = client.post("/move", json={"position": 0, "moves": [], **same}).json()
    assert "gone on" in sentence(client.post("/move", json={"position": 8, "moves": [], **same}), 412)
    client.post("/game/undo", json={"moves": after["moves"], **same})
    other = client.post("/move", json={"position": 4, "moves": [], **same}).json()
    for call in ("/move", "/game/undo"):
        assert "gone on" in sentence(client.post(call, json={"position": 8, "moves": after["moves"], **same}), 412)
    assert client.get("/game/state").json()["moves"] == other["moves"]


def test_a_new_game_while_the_model_thinks_gets_no_move_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The move ends after the new game has begun; each request answers with its own game."""
    analyse = SearchPool.analyse
    thinking, answered = threading.Event(), threading.Event()

    async def waiting(*arguments: Any) -> Any:
        thinking.set()
        while not answered.is_set():
            await asyncio.sleep(0.01)
        return await analyse(*arguments)

    with client_of(tmp_path) as client:
        old = client.post("/game/new", json={"game": "othello", "simulations": 20}).json()
        monkeypatch.setattr(SearchPool, "analyse", waiting)
        with ThreadPoolExecutor(1) as threads:
            moving = threads.submit(client.post, "/move", json={"position": 19, "game_id": old["game_id"]})
            try:
                assert thinking.wait(PATIENCE)
                new = client.post("/game/new", json={"game": "othello", "simulations": 0}).json()
            finally:
                answered.set()
            moved = moving.result().json()
        assert (moved["game_id"], moved["ply"]) == (old["game_id"], 2)
        state = client.get("/game/state").json()
        assert (state["game_id"], state["ply"]) == (new["game_id"], 0)
