"""Which browser plays which game: cookies, expiry, limits."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from starlette.requests import Request
from starlette.testclient import TestClient
from web_client import another_browser, client_of, sentence

from trainer.games import rules_of
from trainer.web.app import Limits
from trainer.web.game.game_in_progress import GameInProgress
from trainer.web.game.sessions import Sessions


def test_a_move_needs_a_session(client: TestClient) -> None:
    """Without a cookie, or with an unknown one, it is refused."""
    sentence(client.post("/move", json={"position": 0}), 409)
    client.cookies.set("cartridge_session_8080", "made-up")
    sentence(client.post("/move", json={"position": 0}), 409)
    for call in ("/game/undo", "/game/settings"):
        sentence(client.post(call, json={}), 409)
    sentence(client.get("/game/moves"), 409)
    sentence(client.get("/game/mind"), 409)


def request_with(key: str) -> Request:
    """A request that carries a session's key."""
    return Request({"type": "http", "headers": [(b"cookie", f"cartridge_session_0={key}".encode())]})


def test_a_session_expires_when_it_is_idle() -> None:
    """Each use gives it the whole time again."""
    clock = SimpleNamespace(seconds=0.0)
    sessions = Sessions(limit=10, idle_seconds=60, now=lambda: clock.seconds)
    session = sessions.start(request_with(""), GameInProgress.new(rules_of("tictactoe"), human=1, simulations=0))
    for clock.seconds in (50.0, 100.0, 160.0):
        assert sessions.of(request_with(session.key)) is session
    clock.seconds = 221.0
    assert sessions.of(request_with(session.key)) is None
    assert len(sessions) == 0


def test_the_game_of_an_expired_session_is_gone(tmp_path: Path) -> None:
    """A move is refused, and the state is a new game."""
    with client_of(tmp_path, Limits(idle_seconds=0)) as client:
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
        keys = {browser.cookies["cartridge_session_8080"] for browser in (one, other)}
        assert len(keys) == 2
        assert all(len(key) >= 32 for key in keys)


def test_a_key_made_up_by_the_browser_is_never_used(client: TestClient) -> None:
    """It gets a key that the server made."""
    client.cookies.set("cartridge_session_8080", "fixed-by-an-attacker")
    response = client.get("/game/state")
    assert "fixed-by-an-attacker" not in response.headers["set-cookie"]


def test_the_number_of_sessions_is_limited(tmp_path: Path) -> None:
    """The session that has been idle longest makes room for a new one; one that is in use stays."""
    with client_of(tmp_path, Limits(sessions=3)) as client:
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
    game = GameInProgress.new(rules_of("tictactoe"), human=1, simulations=0)
    for _ in range(20_000):
        newest = sessions.start(request_with(""), game)
    assert len(sessions) == 1000
    assert sessions.of(request_with(newest.key)) is newest


def test_two_servers_on_one_machine_keep_their_games_apart(tmp_path: Path) -> None:
    """A browser sends a cookie to every port of its host; each server tells its own by the name."""
    with client_of(tmp_path) as one, client_of(tmp_path) as other:
        other.base_url = "http://127.0.0.1:8081"
        other.cookies = one.cookies.jar
        for browser in (one, other):
            browser.post("/game/new", json={"game": "tictactoe"})
        one.post("/move", json={"position": 4})
        other.get("/game/state")
        assert one.get("/game/state").json()["ply"] == 2
        assert other.get("/game/state").json()["ply"] == 0
