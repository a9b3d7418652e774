"""The calls about what never changes: that the server answers, and the games it knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from run_files import put_stats
from starlette.testclient import TestClient
from web_client import client_of, sentence

import trainer
from trainer.games import ENV_IDS, known_games

BOARDS = Path(__file__).parents[1] / "support" / "boards"


def test_health(client: TestClient) -> None:
    """`status` and the `version` of the package."""
    assert client.get("/health").json() == {"status": "ok", "version": trainer.__version__}


def test_games(client: TestClient) -> None:
    """All env_ids of this package, whatever else this process has seen."""
    assert client.get("/games").json()["games"] == list(ENV_IDS)


def test_requests_add_no_games(client: TestClient) -> None:
    """Other names are refused, nothing is loaded for them, and the list stays as it was."""
    before = known_games()
    for name in ("hex:size=4", "hex:size=4 ", "hex:size=4,size=4", "go:size=3", "myttt", "./evil.py", "foo:bar"):
        sentence(client.get(f"/game-info/{name}"), 404)
        sentence(client.post("/game/new", json={"first": "player", "game": name}), 404)
        sentence(client.get("/model", params={"game": name}), 404)
    sentence(client.post("/game/new", json={"first": "player", "game": ["hex"]}), 404)
    assert known_games() == before
    assert client.get("/games").json()["games"] == list(ENV_IDS)


def test_games_of_runs_and_given_ones_are_served(tmp_path: Path) -> None:
    """A run of a game of this package is enough; a game of our own must be given."""
    put_stats(tmp_path / "small", "hex:size=5", 10)
    put_stats(tmp_path / "same", "hex:size=5", 10)
    put_stats(tmp_path / "wrong", "hex:size=99", 10)
    put_stats(tmp_path / "path", str(BOARDS / "pieces.py"), 10)
    put_stats(tmp_path / "plain", "connect4", 10)
    with client_of(tmp_path, games=[str(BOARDS / "edges.py")]) as client:
        assert client.get("/games").json()["games"] == [*ENV_IDS, "test-edges", "hex:size=5"]
        assert client.get("/game-info/hex:size=5").json()["num_actions"] == 25
        state = client.post("/game/new", json={"first": "bot", "game": "hex:size=5", "simulations": 0}).json()
        assert sum(cell != 0 for cell in state["board"]) == 1
        assert client.get("/model", params={"game": "hex:size=5"}).json()["loaded"] is False
        for name in ("hex:size=4", "hex:size=99", str(BOARDS / "pieces.py")):
            sentence(client.get("/game-info/" + name.replace("/", "%2F")), 404)
    with client_of(tmp_path / "plain") as client:
        assert client.get("/games").json()["games"] == list(ENV_IDS)
        sentence(client.get("/game-info/hex:size=5"), 404)


def test_game_info(client: TestClient) -> None:
    """The metadata of the contract's table, and the game's words."""
    info = client.get("/game-info/connect4").json()
    assert info["env_id"] == "connect4"
    assert info["display_name"] == "Connect 4"
    assert (info["board_width"], info["board_height"], info["num_actions"]) == (7, 6, 7)
    assert (info["obs_size"], info["legal_mask_offset"], info["player_count"]) == (93, 84, 2)
    assert info["player_names"] == ["Red", "Yellow"]
    assert info["player_symbols"] == ["R", "Y"]
    assert info["board_type"] == "drop_column"
    assert info["description"]
    assert (info["symbols"], info["owners"]) == (".RY", [0, 1, 2])
    assert info["action_cells"] == [[column] for column in range(7)]
    assert info["target_names"] == ["1", "2", "3", "4", "5", "6", "7"]
    assert client.get("/game-info/othello").json()["obs_size"] == 195
    sentence(client.get("/game-info/chess"), 404)
    sentence(client.get("/game-info/..%2f..%2fetc"), 404)


@pytest.fixture
def client_of_boards(tmp_path: Path) -> Iterator[TestClient]:
    """A browser at a server that was given one game with each further kind of board."""
    with client_of(tmp_path, games=[str(BOARDS / f"{kind}.py") for kind in ("pieces", "edges", "hexagons")]) as found:
        yield found


def test_game_info_of_other_boards(client_of_boards: TestClient) -> None:
    """Whose each code is, what one clicks on for a move, and how people call the cells."""
    client = client_of_boards
    pieces = client.get("/game-info/test-pieces").json()
    assert pieces["owners"] == [0, 1, 2, 1, 2, 1, 2]
    assert pieces["action_cells"][0] == [0, 4]
    assert pieces["target_names"][:5] == ["a1", "b1", "c1", "d1", "a2"]
    assert pieces["action_names"] is None  # the game writes them by the position
    edges = client.get("/game-info/test-edges").json()
    assert edges["owners"] == [0, 1, 2, 0]
    assert edges["action_names"] == ["b3", "d3", "a2", "c2", "e2", "b1", "d1"]
    othello = client.get("/game-info/othello").json()
    assert othello["action_cells"][64] == []
    assert (othello["target_names"][0], othello["target_names"][63]) == ("a1", "h8")
    hexagons = client.get("/game-info/test-hexagons").json()
    assert hexagons["owned_sides"]
    assert not othello["owned_sides"]
