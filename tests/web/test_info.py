"""The calls about what never changes: that the server answers, and the games it knows."""

from __future__ import annotations

from starlette.testclient import TestClient
from web_client import sentence

import trainer
from trainer.games import ENV_IDS


def test_health(client: TestClient) -> None:
    """`status` and the `version` of the package."""
    assert client.get("/health").json() == {"status": "ok", "version": trainer.__version__}


def test_games(client: TestClient) -> None:
    """All env_ids."""
    assert client.get("/games").json() == {"games": list(ENV_IDS)}


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
    assert client.get("/game-info/othello").json()["obs_size"] == 195
    sentence(client.get("/game-info/chess"), 404)
    sentence(client.get("/game-info/..%2f..%2fetc"), 404)
