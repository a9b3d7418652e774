"""The calls about what never changes: that the server answers, and the games it knows."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient
from web_client import sentence

import trainer
from trainer.games import ENV_IDS, find_game

BOARDS = Path(__file__).parents[1] / "support" / "boards"


def test_health(client: TestClient) -> None:
    """`status` and the `version` of the package."""
    assert client.get("/health").json() == {"status": "ok", "version": trainer.__version__}


def test_games(client: TestClient) -> None:
    """All env_ids."""
    games = client.get("/games").json()["games"]
    assert games[: len(ENV_IDS)] == list(ENV_IDS)  # other tests of this process may have named further ones


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


def test_game_info_of_other_boards(client: TestClient) -> None:
    """Whose each code is, what one clicks on for a move, and how people call the cells."""
    pieces = client.get(f"/game-info/{find_game(str(BOARDS / 'pieces.py')).game.env_id}").json()
    assert pieces["owners"] == [0, 1, 2, 1, 2, 1, 2]
    assert pieces["action_cells"][0] == [0, 4]
    assert pieces["target_names"][:5] == ["a1", "b1", "c1", "d1", "a2"]
    assert pieces["action_names"] is None  # the game writes them by the position
    edges = client.get(f"/game-info/{find_game(str(BOARDS / 'edges.py')).game.env_id}").json()
    assert edges["owners"] == [0, 1, 2, 0]
    assert edges["action_names"] == ["b3", "d3", "a2", "c2", "e2", "b1", "d1"]
    othello = client.get("/game-info/othello").json()
    assert othello["action_cells"][64] == []
    assert (othello["target_names"][0], othello["target_names"][63]) == ("a1", "h8")
    hexagons = client.get(f"/game-info/{find_game(str(BOARDS / 'hexagons.py')).game.env_id}").json()
    assert hexagons["owned_sides"]
    assert not othello["owned_sides"]
