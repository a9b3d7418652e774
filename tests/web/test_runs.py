"""The runs under the data folder, and the game of each."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from browser import serving
from random_models import publish_model
from run_files import put_model, put_run, put_stats
from waiting import wait_until
from web_client import client_of, sentence

from trainer.core.errors import DeviceError
from trainer.core.files import write_bytes
from trainer.core.json_values import json_object
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder
from trainer.web.api.live import snapshot
from trainer.web.http.answer import json_text
from trainer.web.runs import models
from trainer.web.runs.json_file import JsonFile
from trainer.web.runs.models import Models
from trainer.web.runs.run import Run
from trainer.web.runs.runs import Runs
from trainer.web.runs.timeline import Timeline


def test_several_runs_each_of_its_own_game(tmp_path: Path) -> None:
    """One folder per run. The newest model of a game plays it, and statistics are asked for by the name of the run."""
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


def test_a_model_of_another_game_does_not_change_the_game_of_a_run(tmp_path: Path) -> None:
    """Not even if the earlier model was all that showed the game of the run."""
    put_model(tmp_path / "some-run", "tictactoe", favourite=8, step=3)
    with client_of(tmp_path) as client:
        assert client.get("/model?game=tictactoe").json()["training_step"] == 3
        put_model(tmp_path / "some-run", "connect4", step=4)
        wait_until(lambda: client.get("/model?game=tictactoe").json()["problem"], "the new model isn't tried")
        model = client.get("/model?game=tictactoe").json()
        assert model["training_step"] == 3
        assert "was trained for connect4, not tictactoe; give a model of tictactoe" in model["status"]
        assert client.get("/model?game=connect4").json()["loaded"] is False


def test_a_model_that_the_gpu_can_not_take_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page doesn't claim that it plays; the model before it does."""

    def prepare(content: bytes, original: OnnxEvaluator) -> OnnxEvaluator:
        if original.step == 2:
            raise DeviceError("the memory of the GPU is full during a test (no room)")
        return original

    monkeypatch.setattr(models, "loader_for", lambda env_id, _: ModelLoader(env_id, prepare))
    put_model(tmp_path, "tictactoe", step=1)
    with client_of(tmp_path) as client:
        assert client.get("/model?game=tictactoe").json()["problem"] is None
        put_model(tmp_path, "tictactoe", step=2)
        wait_until(lambda: client.get("/model?game=tictactoe").json()["problem"], "the new model isn't tried")
        for _ in range(2):
            model = client.get("/model?game=tictactoe").json()
            assert model["training_step"] == 1
            assert model["status"].endswith("(no room)); the model before it plays instead.")


def test_a_first_model_that_the_gpu_can_not_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uniform-guess search plays, and the page says why; so it does if the GPU fails at a move."""

    class Failing:
        step = 1
        layers = None

        def __call__(self, *_: object) -> object:
            raise DeviceError("the GPU failed during an evaluation (no reason)")

    def prepare(content: bytes, original: OnnxEvaluator) -> Any:
        if original.step == 1:
            raise DeviceError("the memory of the GPU is full during a test (no room)")
        return Failing()

    monkeypatch.setattr(models, "loader_for", lambda env_id, _: ModelLoader(env_id, prepare))
    put_model(tmp_path, "tictactoe", step=1)
    with client_of(tmp_path) as client:
        for _ in range(2):
            state = client.post("/game/new", json={"first": "bot", "game": "tictactoe"}).json()
            assert state["bot_move"] is not None
            assert state["message"].endswith("(no room)); uniform-guess search plays instead.")
        put_model(tmp_path, "tictactoe", step=2)
        wait_until(
            lambda: "(no reason)" in client.post("/game/new", json={"first": "bot"}).json()["message"],
            "the new model isn't tried",
        )


def test_a_folder_that_can_not_be_read_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as lost+found; the runs beside it are shown."""
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


def test_the_game_of_a_run_that_has_only_a_model(tmp_path: Path) -> None:
    """A foreign model without metadata is recognised by its shapes."""
    put_model(tmp_path / "from-elsewhere", "othello", favourite=19)
    with client_of(tmp_path) as client:
        assert client.get("/runs").json()["runs"][0]["env_id"] == "othello"
        state = client.post("/game/new", json={"first": "bot", "game": "othello", "simulations": 0}).json()
        assert state["bot_move"] == 19


def test_a_model_alone_names_its_game_with_parameters(tmp_path: Path) -> None:
    """A copied model of a game of this package is enough to play it, in the size that it was trained for."""
    publish_model(tmp_path / "from-elsewhere", "hex:size=3")
    with client_of(tmp_path) as client:
        assert client.get("/runs").json()["runs"][0]["env_id"] == "hex:size=3"
        assert "hex:size=3" in client.get("/games").json()["games"]


def test_the_game_of_a_run_whose_model_comes_later(tmp_path: Path) -> None:
    """It is unknown at first, and found once the model is there."""
    (tmp_path / "some-run" / "models").mkdir(parents=True)
    with client_of(tmp_path) as client:
        assert client.get("/runs").json()["runs"][0]["env_id"] is None
        put_model(tmp_path / "some-run", "connect4", favourite=3)
        assert client.get("/runs").json()["runs"][0]["env_id"] == "connect4"
        assert client.get("/model?game=connect4").json()["loaded"] is True


def test_one_thread_loads_all_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever thread asks: on a GPU each thread that evaluates a model captures graphs of its own."""
    put_model(tmp_path, "tictactoe", favourite=3)
    threads = []

    def noted(file: ModelFile) -> bool:
        threads.append(threading.get_ident())
        return False

    monkeypatch.setattr(ModelFile, "poll", noted)
    found = Models(Runs(tmp_path))
    found.of_game("tictactoe")
    with ThreadPoolExecutor(1) as another:
        another.submit(found.of_game, "tictactoe").result()
    assert len(threads) > 1
    assert len(set(threads)) == 1


def test_a_folder_whose_name_is_not_utf8_is_a_run_like_others(tmp_path: Path) -> None:
    """Its name is shown with `%` and two digits for the byte, and every call finds the run by that name."""
    run = tmp_path / os.fsdecode(b"caf\xe9")
    put_run(run)
    with client_of(tmp_path) as client:
        runs = client.get("/runs").json()
        assert ([run["name"] for run in runs["runs"]], runs["default"]) == (["caf%E9"], "caf%E9")
        assert client.get("/stats").json()["run"] == "caf%E9"
        assert client.get("/stats", params={"run": "caf%E9"}).json()["step"] == 50
        assert client.get("/actor-stats", params={"run": "caf%E9"}).json()["episodes_completed"] == 2
        model = client.get("/model?game=tictactoe").json()
        assert (model["loaded"], model["path"]) == (True, f"{tmp_path}/caf%E9/models/latest.onnx")
        (newest, _) = client.get("/replay/games", params={"run": "caf%E9"}).json()["games"]
        game = client.get("/replay/game", params={"run": "caf%E9", "episode": newest["episode_id"]}).json()
        assert len(game["plies"]) == 7
    runs_there = Runs(tmp_path)
    sent = json_text(snapshot(Models(runs_there), runs_there.find("caf%E9")))
    assert json.loads(sent.encode())["run"] == "caf%E9"


def test_names_that_look_alike_stay_apart(tmp_path: Path) -> None:
    """A folder may be called by the text that stands for another one's bytes. Other names are shown as they are."""
    steps = {b"caf\xe9": 10, b"caf%E9": 20, b"caf%25E9": 30, "café".encode(): 40, b"50%": 50, b"%\xe9": 60}
    for name, step in steps.items():
        put_stats(tmp_path / os.fsdecode(name), "tictactoe", step)
    with client_of(tmp_path) as client:
        names = [run["name"] for run in client.get("/runs").json()["runs"]]
        assert sorted(names) == sorted(["caf%E9", "caf%25E9", "caf%2525E9", "café", "50%", "%%E9"])
        found = [client.get("/stats", params={"run": name}).json()["step"] for name in names]
        assert sorted(found) == sorted(steps.values())


def test_the_evaluations_of_a_run_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later only what is new: a long run has thousands, and every page of the stored games asks for them."""
    read: list[bytes | str] = []

    def noted(line: bytes | str) -> dict[str, Any] | None:
        read.append(line)
        return json_object(line)

    monkeypatch.setattr("trainer.run.evaluations.json_object", noted)
    run, log = Run("a", RunFolder(tmp_path)), EvaluationLog(tmp_path / "evaluations.jsonl")
    for step in (1, 2):
        log.append({"step": step})
    assert run.evaluations() == [{"step": 1}, {"step": 2}]
    read.clear()
    log.append({"step": 3})
    assert run.evaluations() == [{"step": 1}, {"step": 2}, {"step": 3}]
    assert [line for line in read if line] == [b'{"step": 3}']


@pytest.mark.parametrize(
    ("from_step", "to_step", "times"),
    [
        (None, 1000, (0, 199)),
        (1000, 1000, (100, 199)),
        (1, 2000, (100, 299)),
        (None, 500, (0, 99)),
        (1001, 1999, None),
        (3001, None, None),
    ],
)
def test_the_times_of_a_range_of_steps(
    from_step: int | None, to_step: int | None, times: tuple[int, int] | None
) -> None:
    """They end before the second at which a later step was reached: a game of that second is labelled with that step."""
    timeline = Timeline(((100, 1000), (200, 2000), (300, 3000)))
    assert timeline.times_of(from_step, to_step) == times
    if times and times[1] >= 100:
        assert timeline.step_at(times[1]) == to_step


def test_the_data_folder_may_have_a_name_that_is_not_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server starts, even if its standard output takes nothing but UTF-8."""
    folder = tmp_path / os.fsdecode(b"data-\xff")
    put_stats(folder, "tictactoe", 10)
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8:strict")
    with serving(folder) as server, urlopen(f"{server.url}stats?run=.") as answer:
        assert json.load(answer)["step"] == 10


def test_a_sentence_can_name_a_path_that_is_not_utf8(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The data folder itself may have such a name, and a broken model in it is named by its path."""
    caplog.set_level("ERROR")  # pytest-xdist can't pass a warning on that names the path
    folder = tmp_path / os.fsdecode(b"data-\xff")
    write_bytes(folder / "tictactoe" / "models" / "latest.onnx", b"broken")
    write_bytes(folder / "tictactoe" / "replay.db", b"broken" * 1000)
    put_stats(folder / "tictactoe", "tictactoe", 10)
    with client_of(folder) as client:
        assert "data-%FF/tictactoe" in client.get("/model?game=tictactoe").json()["problem"]
        assert "data-%FF/tictactoe" in client.get("/game/state").json()["message"]
        assert "data-%FF/tictactoe" in client.get("/replay/games").json()["message"]
        refused = client.get("/replay/game?run=tictactoe&episode=any")
        assert (refused.status_code, "data-%FF" in refused.text) == (404, True)


def test_the_newest_of_very_many_runs_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name. Folders that are no runs don't count."""
    monkeypatch.setattr("trainer.web.runs.runs.MAX_RUNS", 3)
    changed = {"e": 50, "a": 10, "b": 40, "d": 20, "c": 30}
    for name, seconds in changed.items():
        put_stats(tmp_path / name, "tictactoe", 10)
        os.utime(tmp_path / name, (seconds, seconds))
    for number in range(5):
        (tmp_path / f"aa-{number}").mkdir()
    assert [run.name for run in Runs(tmp_path).all()] == ["b", "c", "e"]
    put_stats(tmp_path / "a", "tictactoe", 20)  # so a run that goes on is among them
    assert [run.name for run in Runs(tmp_path).all()] == ["a", "b", "e"]


def test_a_file_that_can_not_be_read_for_a_moment_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although it hasn't changed since: a network drive may have been away."""
    put_stats(tmp_path, "tictactoe", 10)
    file = JsonFile(tmp_path / "stats.json", {})

    def failing(path: Path) -> bytes:
        raise OSError(5, "Input/output error", str(path))

    with monkeypatch.context() as away:
        away.setattr(Path, "read_bytes", failing)
        for _ in range(2):
            assert file.read() == (None, "The stats.json of this run can't be read (Input/output error).")
    content, problem = file.read()
    assert content is not None
    assert (content["step"], problem) == (10, None)
