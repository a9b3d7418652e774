"""The analysis of a position: /game/analysis."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
from run_files import put_model
from starlette.testclient import TestClient
from waiting import wait_until
from web_client import client_of, sentence

from trainer.evaluators.loader import ModelLoader
from trainer.games import rules_of
from trainer.games.position import Position


def test_an_analysis_tells_of_each_legal_move(tmp_path: Path) -> None:
    """At any position of the game; both priors and shares sum to 1."""
    put_model(tmp_path, "tictactoe", favourite=8)
    with client_of(tmp_path) as client:
        client.post("/game/new", json={"first": "player", "simulations": 60})
        client.post("/move", json={"position": 4})
        analysis = client.get("/game/analysis", params={"ply": 1}).json()
        assert (analysis["mover"], analysis["simulations"], analysis["ply"]) == (2, 60, 1)
        assert [move["action"] for move in analysis["moves"]] == [0, 1, 2, 3, 5, 6, 7, 8]
        assert sum(move["prior"] for move in analysis["moves"]) == pytest.approx(1, abs=1e-4)
        assert sum(move["share"] for move in analysis["moves"]) == pytest.approx(1, abs=1e-4)
        assert max(analysis["moves"], key=lambda move: move["prior"])["action"] == 8
        assert -1 <= analysis["value"] <= 1
        assert client.get("/game/analysis").json()["ply"] == 2
        for ply in ("3", "-1", "x", "1.5", "99999", "²"):
            sentence(client.get("/game/analysis", params={"ply": ply}), 400)


def test_the_priors_are_those_of_the_network(tmp_path: Path) -> None:
    """Also with simulations, although the search softens its own priors. Without simulations the shares are the priors."""
    put_model(tmp_path, "tictactoe", favourite=8)
    position = Position.first(rules_of("tictactoe"))
    model = ModelLoader("tictactoe").load(tmp_path / "models" / "latest.onnx")
    prior, _ = model(position.observation[None], np.ones((1, 9), np.bool_))
    with client_of(tmp_path) as client:
        for simulations in (0, 60):
            client.post("/game/new", json={"first": "player", "simulations": simulations})
            moves = client.get("/game/analysis").json()["moves"]
            assert [move["prior"] for move in moves] == pytest.approx(prior[0].tolist(), rel=1e-6)
            shares = [move["share"] for move in moves]
            assert (shares == pytest.approx(prior[0].tolist(), rel=1e-6)) == (simulations == 0)


def test_a_proven_win_has_the_value_1_for_the_mover(client: TestClient) -> None:
    """X on 1 and 4 wins on 7."""
    client.post("/game/new", json={"first": "player", "simulations": 0})
    client.post("/move", json={"position": 1})  # the uniform raw policy answers on the first empty cell, 0
    client.post("/move", json={"position": 4})  # 2
    client.post("/game/settings", json={"simulations": 100})
    analysis = client.get("/game/analysis").json()
    winning = next(move for move in analysis["moves"] if move["action"] == 7)
    assert (analysis["best"], analysis["value"]) == (7, 1)
    assert (winning["proven"], winning["value"], winning["share"]) == ("win", 1, 1)


def test_the_newest_position_is_analysed_by_the_newest_model(tmp_path: Path) -> None:
    """A hint is what the model would play now. Earlier positions keep what was found then."""
    put_model(tmp_path, "tictactoe", favourite=8)
    with client_of(tmp_path) as client:

        def best(ply: int) -> int:
            moves = client.get("/game/analysis", params={"ply": ply}).json()["moves"]
            return int(max(moves, key=lambda move: move["prior"])["action"])

        client.post("/game/new", json={"first": "player", "simulations": 0})
        client.post("/move", json={"position": 4})
        assert (best(0), best(2)) == (8, 0)  # 8 is taken; among the others the first
        put_model(tmp_path, "tictactoe", favourite=6, step=9)
        wait_until(lambda: client.get("/game/state").json()["model_step"] == 9, "the new model isn't loaded")
        assert (best(0), best(2)) == (8, 6)


def test_an_analysis_of_a_game_that_has_gone_on_is_refused(client: TestClient) -> None:
    """In another tab; this one would show a hint for another position."""
    client.post("/game/new", json={"first": "player", "simulations": 0})
    moves = client.post("/move", json={"position": 4}).json()["moves"]
    shown = ".".join(map(str, moves))
    assert client.get("/game/analysis", params={"moves": shown}).json()["ply"] == 2
    sentence(client.get("/game/analysis", params={"moves": "4.1"}), 412)
    sentence(client.get("/game/analysis", params={"moves": ""}), 412)


def test_a_game_does_not_keep_models_alive(tmp_path: Path) -> None:
    """There may be a thousand games, and on a GPU each model that lives has memory there. The last two are kept anyway."""
    with client_of(tmp_path) as client:
        for step in (1, 2, 3, 4):
            put_model(tmp_path, "tictactoe", favourite=8, step=step)
            wait_until(lambda: client.get("/game/state").json()["model_step"] == step, "the model isn't loaded")  # noqa: B023
            if step == 1:
                client.post("/game/new", json={"first": "bot", "simulations": 0})
        assert client.post("/move", json={"position": 4}).json()["moves"][:2] == [
            8,
            4,
        ]  # the search forgets the first model
        gc.collect()
        found = [one for one in gc.get_objects() if "trainer.evaluators." in str(type(one))]
        steps = {getattr(one, "step", None) for one in found}
        assert 4 in steps
        assert 1 not in steps
