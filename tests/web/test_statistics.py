"""The statistics of a run, polled and live."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from run_files import put_model, put_stats
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient
from waiting import PATIENCE, wait_until
from web_client import client_of, sentence

from trainer import pretrained
from trainer.core.files import write_bytes
from trainer.core.json_values import write_json
from trainer.games import DEFAULT_GAME
from trainer.run.actor_stats import ActorStats, ActorTotals
from trainer.run.actor_stats_file import CLUSTER, SILENCE, write_actors
from trainer.web.api.live import Live, snapshot, update
from trainer.web.http.refusal import Refusal
from trainer.web.runs.models import Models
from trainer.web.runs.runs import Runs


def test_stats_before_there_are_any(client: TestClient) -> None:
    """Zeros and a message."""
    stats = client.get("/stats").json()
    assert (stats["step"], stats["epoch"], stats["loss"], stats["games_played"]) == (0, 0, 0, 0)
    assert stats["history"] == []
    assert stats["message"]


def test_stats_are_the_content_of_the_file(tmp_path: Path, client: TestClient) -> None:
    """Unknown fields are included; `epoch`, `loss` and `games_played` are added for older pages."""
    put_stats(tmp_path, "tictactoe", 200, something_new=[1, 2])
    write_bytes(tmp_path / "actor_stats.json", json.dumps({"env_id": "tictactoe", "episodes_completed": 77}).encode())
    stats = client.get("/stats").json()
    assert stats.items() >= json.loads((tmp_path / "stats.json").read_text()).items()
    assert (stats["epoch"], stats["loss"], stats["games_played"]) == (200, stats["total_loss"], 77)
    put_stats(tmp_path, "tictactoe", 210)
    assert client.get("/stats").json()["step"] == 210


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\x00\xff",
        b'{"total_loss": NaN}',
        b'{"further": 1e999}',
        b'{"further": "\\ud800"}',
        b'{"step": "7"}',
        b'{"step": 1e300}',
        b'{"history": [{}]}',
        b'{"history": 3}',
        b'{"eval_history": [7]}',
        b'{"eval_history": [{"step": 1, "timestamp": "now"}]}',
    ],
)
def test_a_broken_stats_file_gives_zeros_and_a_sentence(tmp_path: Path, content: bytes) -> None:
    """A good file that replaces it is shown."""
    write_bytes(tmp_path / "stats.json", content)
    with client_of(tmp_path) as client:
        stats = client.get("/stats").json()
        assert stats["step"] == 0
        assert "stats.json" in stats["message"]
        put_stats(tmp_path, "tictactoe", 50)
        assert client.get("/stats").json()["step"] == 50


def test_actor_stats_are_the_sum_over_the_actors(
    tmp_path: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zeros if none has run, and for a field that the file lacks."""
    monkeypatch.setattr("trainer.web.runs.runs.LOOK_EVERY", 0.0)
    counts = {"episodes_completed", "total_steps", "player1_wins", "player2_wins", "draws"}
    rates = {"avg_episode_length", "episodes_per_second", "runtime_seconds", "mcts_avg_inference_us", "timestamp"}
    blank = client.get("/actor-stats").json()
    assert blank["env_id"] == ""
    assert all(blank[name] == 0 for name in counts | rates)
    write_bytes(
        tmp_path / "actor_stats.json",
        json.dumps({"env_id": "connect4", "episodes_completed": 12, "draws": 3, "actors": {"a": {}}}).encode(),
    )
    found = client.get("/actor-stats").json()
    assert (found["env_id"], found["episodes_completed"], found["draws"]) == ("connect4", 12, 3)
    assert found["total_steps"] == 0


def test_the_rates_of_actors_that_have_ended_are_0(tmp_path: Path, client: TestClient) -> None:
    """Also of the last one, after which nobody writes the file. Their counts stay."""
    now = int(time.time())
    stats = ActorStats("tictactoe", 7, episodes_per_second=2.0, positions_per_second=20.0)
    running = asdict(stats) | {"timestamp": now + 3600}  # so that it isn't silent while the test runs
    silent = running | {"timestamp": now - SILENCE - 10, "simulations_per_second": 5.0}
    actors = {"actor-1-aa": running, "actor-2-bb": silent}
    content = asdict(ActorTotals.of("tictactoe", [running, silent])) | {"actors": actors}
    write_json(tmp_path / "actor_stats.json", content)
    found = client.get("/actor-stats").json()
    rates = (found["episodes_per_second"], found["positions_per_second"], found["simulations_per_second"])
    assert (rates, found["episodes_completed"]) == ((2, 20, 0), 14)


def test_the_players_of_a_cluster_are_listed(tmp_path: Path, client: TestClient) -> None:
    """Those that were heard of lately, with all that the page shows; without a cluster there is no such field."""
    later = int(time.time()) + 3600  # so that it isn't silent while the test runs
    stats = ActorStats("tictactoe", 7, episodes_per_second=2.5, positions_per_second=20.0, model_step=40, host="node-7")
    player = asdict(stats) | {"space": CLUSTER, "timestamp": later, "back_pressure": 0.25}
    write_actors(
        tmp_path / "actor_stats.json", "tictactoe", {"actor-1-aa": asdict(stats) | {"timestamp": later}}, later
    )
    assert "players" not in client.get("/actor-stats").json()
    gone = player | {"timestamp": later - 3660}
    write_actors(tmp_path / "actor_stats.json", "tictactoe", {"p-1-bb": player, "p-2-cc": gone}, later)
    expected = {"name": "p-1-bb", "host": "node-7", "episodes_per_second": 2.5, "positions_per_second": 20.0}
    expected |= {"model_step": 40, "timestamp": later, "back_pressure": 0.25}
    assert client.get("/actor-stats").json()["players"] == [expected]


def test_the_curves_of_a_published_run(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come with the package, of some games; each belongs to a model of it and has all that the charts draw."""
    assert client.get("/runs").json()["published"] == []
    assert "No run of that game comes with the package" in sentence(client.get("/published?game=tictactoe"), 404)
    sentence(client.get("/published?game=../../secret"), 404)
    monkeypatch.setattr(pretrained, "FOLDER", Path(pretrained.__file__).parent)
    listed = client.get("/runs").json()["published"]
    assert set(listed) <= set(pretrained.env_ids())
    assert {"tictactoe", "connect4"} <= set(listed)
    for env_id in ("tictactoe", "connect4"):
        found = client.get("/published", params={"game": env_id}).json()
        assert found["env_id"] == env_id
        assert found["history"][-1].keys() == {"step", "total_loss", "learning_rate"}
        assert 50 < len(found["history"]) <= 150
        assert found["eval_history"][-1]["win_rate"] > 0.9
        assert found["eval_history"][-1]["move_quality"][0]["weak_error"] < 0.1


def test_the_status_of_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, loaded, replaced, broken: `status` says which, and the last good model stays."""
    monkeypatch.setattr("trainer.web.runs.runs.LOOK_EVERY", 0.0)
    with client_of(tmp_path) as client:
        model = client.get("/model").json()
        assert model["loaded"] is False
        assert model["path"] is model["file_modified"] is model["loaded_at"] is model["training_step"] is None
        assert "no model" in model["status"]
        began = int(time.time())
        put_model(tmp_path, "tictactoe", step=100)
        model = client.get("/model").json()
        assert (model["loaded"], model["training_step"]) == (True, 100)
        path = tmp_path / "models" / "latest.onnx"
        assert model["path"] == str(path)
        assert model["file_modified"] == int(path.stat().st_mtime)
        assert began <= model["loaded_at"] <= time.time()
        put_model(tmp_path, "tictactoe", step=200)
        wait_until(lambda: client.get("/model").json()["training_step"] == 200, "the new model isn't loaded")
        write_bytes(path, b"broken")
        wait_until(lambda: "can't be used" in client.get("/model").json()["status"], "the broken file isn't looked at")
        model = client.get("/model").json()
        assert (model["loaded"], model["training_step"]) == (True, 200)
    sentence(client.get("/model?game=chess"), 404)


def test_the_model_that_comes_with_the_package(
    tmp_path: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not presented as one of a run; whoever plays against it is told, too. A run's own model takes its place."""
    monkeypatch.setattr(pretrained, "FOLDER", Path(pretrained.__file__).parent)
    monkeypatch.setattr("trainer.web.runs.runs.LOOK_EVERY", 0.0)
    told = "No run has a model of this game yet; the one that comes with the package plays."
    model = client.get("/model?game=tictactoe").json()
    assert (model["loaded"], model["problem"], model["status"]) == (True, None, told)
    assert client.post("/game/new", json={"first": "player"}).json()["message"].endswith(told)
    put_model(tmp_path, "tictactoe", step=100)
    assert client.get("/model?game=tictactoe").json()["status"] == "The newest model plays."
    assert told not in client.get("/game/state").json()["message"]


def test_the_model_of_a_game_whose_rules_are_not_known(tmp_path: Path) -> None:
    """There is one; the answers say why it isn't used, and what to do. Without a game in a request, another one is meant."""
    put_stats(tmp_path / "run", "test-nowhere", 10)
    put_model(tmp_path / "run", "tictactoe", step=100)
    runs = Runs(tmp_path)
    model = snapshot(Models(runs), runs.pick("run"))["model"]
    told = "The rules of test-nowhere are not known here; start the page with --games FILE."
    assert (model["loaded"], model["problem"], model["status"]) == (False, told, told)
    assert model["path"] == str(tmp_path / "run" / "models" / "latest.onnx")
    assert model["file_modified"] > 0
    with client_of(tmp_path) as client:
        assert client.get("/model").json()["game"] == DEFAULT_GAME
        sentence(client.get("/model?game=test-nowhere"), 404)


def test_live_statistics_of_a_run_show_its_own_model(tmp_path: Path) -> None:
    """Although the newer model of another run plays the game. A run without a model shows none."""
    put_model(tmp_path / "old", "tictactoe", step=100)
    put_model(tmp_path / "new", "tictactoe", step=200)
    put_stats(tmp_path / "tictactoe", "tictactoe", 10)
    runs = Runs(tmp_path)
    models = Models(runs)
    assert snapshot(models, runs.pick("old"))["model"]["training_step"] == 100
    assert snapshot(models, runs.pick("new"))["model"]["training_step"] == 200
    assert snapshot(models, runs.pick("tictactoe"))["model"] is None


def test_live_statistics_say_what_time_it_is(tmp_path: Path) -> None:
    """The clock of the browser may be wrong."""
    runs = Runs(tmp_path)
    live = Live(runs, Models(runs), Event())

    async def first_event() -> str:
        stream = live._stream(None)
        await anext(stream)  # how soon the browser is to come back
        return await anext(stream)

    began = time.time()
    _, _, data = asyncio.run(first_event()).partition("data: ")
    assert began <= json.loads(data)["now"] <= time.time()


@pytest.mark.parametrize("gone", ["renamed", "deleted"])
def test_the_stream_of_a_run_that_is_gone_ends(tmp_path: Path, gone: str) -> None:
    """Otherwise it would say that there is no run. The page then asks for it again, and is told that it is gone."""
    put_stats(tmp_path / "watched", "tictactoe", 10)
    put_stats(tmp_path / "other", "tictactoe", 10)
    runs = Runs(tmp_path)
    live = Live(runs, Models(runs), Event())

    async def events() -> list[str]:
        response = await live.events(Request({"type": "http", "query_string": b"run=watched"}))
        assert isinstance(response, StreamingResponse)
        heard = []
        async for event in response.body_iterator:
            assert isinstance(event, str)
            heard.append(event)
            if "data: " in event and gone == "renamed":
                (tmp_path / "watched").rename(tmp_path / "renamed")
            elif "data: " in event:
                shutil.rmtree(tmp_path / "watched")
        return heard

    heard = asyncio.run(asyncio.wait_for(events(), PATIENCE))
    assert ["data: " in event for event in heard] == [False, True]


def test_no_more_pages_watch_than_the_limit_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is closed makes room for another."""
    monkeypatch.setattr("trainer.web.api.live.MAX_STREAMS", 1)
    runs = Runs(tmp_path)
    live, request = Live(runs, Models(runs), Event()), Request({"type": "http", "query_string": b""})

    async def watch() -> None:
        for _ in range(2):
            response = await live.events(request)
            assert isinstance(response, StreamingResponse)
            stream = response.body_iterator
            await anext(stream)
            with pytest.raises(Refusal) as refused:
                await live.events(request)
            assert refused.value.status_code == 429
            assert refused.value.detail == "Too many pages are watching; close one, or poll /stats."
            await stream.aclose()

    asyncio.run(asyncio.wait_for(watch(), PATIENCE))


def test_live_updates_hold_only_new_points() -> None:
    """The first has the whole history, later ones what was added. A run that has started over sends everything again."""

    def statistics(*steps: int) -> dict[str, Any]:
        stats = {"step": steps[-1] if steps else 0, "history": [{"step": step} for step in steps]}
        return {"run": "a", "stats": stats | {"eval_history": [{"step": step + 1} for step in steps]}}

    assert update(None, statistics(10, 20)) == statistics(10, 20) | {"added": False}
    later = update(statistics(10, 20), statistics(10, 20, 30))
    assert later["added"]
    assert later["stats"] == {"step": 30, "history": [{"step": 30}], "eval_history": [{"step": 31}]}
    assert update(statistics(10, 20), statistics(10)) == statistics(10) | {"added": False}
    assert update(statistics(10), statistics(10, 20) | {"run": "b"})["added"] is False
