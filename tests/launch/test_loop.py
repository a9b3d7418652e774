"""The loop: one command from nothing to an evaluated model."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import bonsai
import psutil
import pytest
from conftest import run_module
from programs import ending, processes_of
from random_models import publish_model
from registering import registered
from run_files import store_games
from stored_rows import select
from waiting import PATIENCE, wait_until

from trainer.core.errors import ConfigError
from trainer.games import ENV_IDS
from trainer.games.recipes import TOWER, recipe_of
from trainer.launch import local
from trainer.launch.local import actor_config, web_config
from trainer.launch.preparation import begin_anew
from trainer.loop import config_from
from trainer.run.folder import RunFolder
from trainer.run.record import require_same_run, write_record
from trainer.settings.loop import LoopConfig

WORDS = ("--steps", 150, "--threads", 1, "--simulations", 10, "--lr", 0.01, "--seed", 3)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder of a run that is over, to be copied, and what it printed."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    return folder, run_module("trainer.loop", "--data-dir", folder, *WORDS)


@pytest.fixture
def copied(finished: tuple[Path, Any], tmp_path: Path) -> Path:
    """A folder with that run."""
    return Path(shutil.copytree(finished[0], tmp_path / "copied"))


def test_one_command_plays_trains_and_evaluates(
    finished: tuple[Path, subprocess.CompletedProcess[str]], copied: Path
) -> None:
    """Steps bound it; a second run in the same folder sets the first aside, and says that it learns from its games too.

    It starts from a model of the first, which is set aside with the others.
    """
    first = finished[1]
    require_finished(copied, first)
    assert "holds games that were played before" not in first.stderr
    assert not list((copied / "models").glob("old-*"))
    start = copied / "models" / "model_step_000150.onnx"
    model = start.read_bytes()
    second = run_module("trainer.loop", "--data-dir", copied, *WORDS, "--start-from", start)
    require_finished(copied, second)
    assert "holds games that were played before" in second.stderr
    assert len(list((copied / "models").glob("old-*"))) == 1
    assert (copied / "start.onnx").read_bytes() == model
    assert select(copied / "replay.db", "SELECT count(DISTINCT episode_id) FROM transitions")[0][0] > 50
    leftovers = [path.name for path in copied.rglob(".tmp-*")]
    assert leftovers == []


def require_finished(folder: Path, done: subprocess.CompletedProcess[str]) -> None:
    """Fail unless a loop has ended well, with all figures of a run of 150 steps."""
    assert done.returncode == 0, done.stderr
    for figure in ("self-play", "speed", "training", "loss", "vs random", "Elo"):
        assert f"\n  {figure} " in done.stdout
    stats = json.loads((folder / "stats.json").read_text())
    assert stats["step"] == stats["total_steps"] == stats["last_eval"]["step"] == 150
    assert stats["last_eval"]["opponent"] == "random"
    assert stats["last_eval"]["games_played"] == 200
    rates = [stats["last_eval"][f"{kind}_rate"] for kind in ("win", "draw", "loss")]
    assert sum(rates) == pytest.approx(1)
    assert stats["eval_history"][-1] == stats["last_eval"]
    assert (folder / "models" / "latest.onnx").exists()


def test_a_new_run_says_how_many_rows_are_stored_and_how_many_of_them_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An actor can't bring back what it deletes."""
    run = RunFolder(tmp_path)
    store_games(tmp_path, "tictactoe", [[0, 3, 1, 4, 2], [4, 0, 8, 1, 6, 2]])
    begin_anew(run, run.shards(None), None)
    begin_anew(run, run.shards(None), 11)
    assert caplog.text.count("replay.db holds games that were played before (11 rows), and training begins") == 2
    assert "are kept" not in caplog.text
    begin_anew(run, run.shards(None), 6)
    assert "of these 11 rows only the newest 6 are kept" in caplog.text


def test_ctrl_z_and_fg_and_ctrl_c(tmp_path: Path) -> None:
    """All processes stop and go on; then all end in order: status 130, the model of the last step published, none left."""
    run = tmp_path / "run"
    command = [sys.executable, "-m", "trainer.loop", "--data-dir", str(run), "--minutes", "60", "--threads", "1"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, process_group=0
    )  # a job of this process, as of a shell

    def states() -> set[str]:
        found = set()
        for number in processes_of(tmp_path):
            with suppress(psutil.NoSuchProcess):
                found.add(psutil.Process(number).status())
        return found

    try:
        wait_until((run / "stats.json").exists, "it doesn't train")
        process.send_signal(signal.SIGTSTP)
        wait_until(lambda: states() == {psutil.STATUS_STOPPED}, "something still runs")
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: psutil.STATUS_STOPPED not in states(), "something is still stopped")
    finally:
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert "Interrupted and saved" in errors  # Ctrl-Z doesn't count as a first Ctrl-C
    step = json.loads((run / "stats.json").read_text())["step"]
    assert (run / "models" / f"model_step_{step:06d}.onnx").exists()
    assert processes_of(tmp_path) == []


def test_a_killed_loop_leaves_nothing_running(tmp_path: Path) -> None:
    """The trainer and the actor notice that it is gone."""
    command = [sys.executable, "-m", "trainer.loop", "--data-dir", str(tmp_path), "--minutes", "60", "--threads", "1"]
    with ending(subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)) as process:
        wait_until((tmp_path / "stats.json").exists, "it doesn't train")
        process.kill()
    wait_until(lambda: not processes_of(tmp_path), "a process of the loop stays")


def test_an_actor_that_somebody_ends_ends_the_loop(tmp_path: Path) -> None:
    """Its exit status is 0 then; without it the trainer would wait for rows that never come."""
    command = [sys.executable, "-m", "trainer.loop", "--data-dir", str(tmp_path), "--minutes", "60", "--threads", "1"]
    with ending(subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)) as process:
        wait_until((tmp_path / "stats.json").exists, "it doesn't train")
        (actor,) = (one for one in processes_of(tmp_path) if "trainer.actor" in psutil.Process(one).cmdline())
        os.kill(actor, signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert errors.splitlines()[-1] == "error: the actor was stopped from outside; start again with --resume to go on"


def test_a_run_with_a_page_goes_on_without_it(copied: Path) -> None:
    """The port of the page, which `run.json` has, isn't given without --web then."""
    record = json.loads((copied / "run.json").read_text())
    record["loop"]["settings"] |= {"web": True, "web_port": 8081}
    (copied / "run.json").write_text(json.dumps(record))
    config = config_from(["--data-dir", str(copied), "--resume", "--no-web"])
    assert (config.web, config.web_port) == (False, 8081)


def test_a_run_that_is_over_is_not_begun_again(copied: Path) -> None:
    """The trainer's sentence reaches whoever asks it to go on; nothing is lost."""
    done = run_module("trainer.loop", "--data-dir", copied, "--resume")
    assert done.returncode == 0, done.stderr
    assert "The trainer: the run is over: 150 steps are done; to go on give more --steps" in done.stderr
    assert json.loads((copied / "stats.json").read_text())["step"] == 150


def test_a_port_that_is_taken_is_refused_before_anything_starts(
    tmp_path: Path, call_main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """With the flag that the loop has for it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert call_main("trainer.loop", "--data-dir", tmp_path, "--web", "--web-port", port) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: can't listen on 127.0.0.1 port {port} (")
    assert said.endswith("choose another with --web-host or --web-port\n")
    assert list(tmp_path.iterdir()) == []


def test_the_first_failure_is_reported_with_its_log(tmp_path: Path) -> None:
    """A replay.db that is no database ends the loop with one line: a new run before it starts, a resumed one by its log."""
    (tmp_path / "replay.db").write_text("no database " * 100)
    words = ("--data-dir", tmp_path, "--steps", 10)
    done = run_module("trainer.loop", *words)
    assert done.returncode == 1
    assert done.stderr == f"error: the replay database {tmp_path}/replay.db can't be used: file is not a database\n"
    (tmp_path / "models").mkdir(exist_ok=True)
    (tmp_path / "models" / "checkpoint.pt").touch()
    done = run_module("trainer.loop", *words, "--env-id", "tictactoe", "--resume")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("error: the ")
    assert "can't be used: file is not a database" in done.stderr
    assert f"see {tmp_path}/logs/" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--env-id", "chess"],
            f"error: no rules for a game named 'chess'; the known games are {', '.join(ENV_IDS)}; "
            "a game of your own is named by its file, as in ./mygame.py",
        ),
        (["--steps", "0"], "error: --steps is 0; at least 1 is needed"),
        (["--minutes", "0"], "error: --minutes is 0.0; a number above 0 is needed"),
        (
            ["--web", "--web-host", ""],
            "error: --web-host is empty; give an address to listen on: 127.0.0.1 for this machine alone, "
            "0.0.0.0 to let others in",
        ),
        (
            ["--ray", ""],
            "error: --ray is empty; give auto, or the address of the head of a cluster, such as 10.0.0.5:6379",
        ),
        (
            ["--ray", "ray://head:10001"],
            "error: --ray is ray://head:10001; start the loop on a machine of the cluster and give auto, because ray:// is "
            "too slow",
        ),
        (["--players", "0"], "error: --players is 0; give all, or a number of machines from 1"),
        (["--ray", "auto", "--replay-shards", "0"], "error: --replay-shards is 0; at least 1 is needed"),
        (["--players", "3"], "error: --players is 3, and only a Ray cluster has several; give --ray too"),
        (
            ["--replay-shards", "2"],
            "error: --replay-shards is 2, and only a Ray cluster writes several databases; give --ray too (ray start --head "
            "makes a cluster of one machine)",
        ),
        (
            ["--fewest-random-plies", "5", "--random-plies", "3"],
            "error: --fewest-random-plies is 5; give a number from 0 to --random-plies (3)",
        ),
        (["--c-puct", "-1"], "error: --c-puct is -1.0; 0 or more is needed"),
        (["--considered", "0"], "error: --considered is 0; at least 1 is needed"),
        (["--noise-fraction", "2"], "error: --noise-fraction is 2.0; give a share from 0 to 1"),
        (["--noise-alpha", "0"], "error: --noise-alpha is 0.0; give a number from 0.01"),
        (["--random-openings", "2"], "error: --random-openings is 2.0; give a share from 0 to 1"),
        (
            ["--simulations", "10", "--first-simulations", "11"],
            "error: --first-simulations is 11; give a number from 1 to --simulations (10)",
        ),
        (["--first-simulations", "0"], "error: --first-simulations is 0; give a number from 1 to --simulations (100)"),
        (["--cache", "-1"], "error: --cache is -1; give a number of entries from 0 to 16777216"),
        (["--web", "--web-port", "99999"], "error: --web-port is 99999; give a number from 1 to 65535"),
        (["--web-port", "8081"], "error: --web-port is given without --web; add --web to serve the page"),
    ],
)
def test_bad_settings_are_refused(
    tmp_path: Path,
    arguments: list[str],
    message: str,
    call_main: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In one line, before anything starts."""
    assert call_main("trainer.loop", "--data-dir", tmp_path, *arguments) == 1
    assert capsys.readouterr().err.strip() == message


def test_a_game_without_a_recipe_is_learned_like_connect_4() -> None:
    """Its recipe differs from Connect 4's in nothing but the name."""
    assert recipe_of(registered(bonsai)) == replace(recipe_of("connect4"), env_id="bonsai")


def test_settings_come_from_the_recipe_unless_they_are_given() -> None:
    """Connect 4's recipe, with a learning rate and a width of our own."""
    config = config_from(["--env-id", "connect4", "--lr", "0.01", "--width=64", "--no-gumbel"])
    assert config == replace(recipe_of("connect4"), lr=0.01, width=64, gumbel=False)


def test_a_gpu_has_a_recipe_of_its_own() -> None:
    """A tower, larger batches and more games; the game's own settings stay, and flags change them."""
    config = config_from(["--env-id", "connect4", "--device", "cuda", "--blocks", "4"])
    assert config == replace(recipe_of("connect4"), **TOWER | {"device": "cuda", "blocks": 4})
    assert config_from(["--env-id", "connect4", "--device", "cpu"]) == recipe_of("connect4")


@pytest.mark.parametrize(
    "module",
    [
        "trainer.loop",
        "trainer.__main__",
        "trainer.actor.__main__",
        "trainer.evaluator",
        "trainer.ladder",
        "trainer.web.__main__",
        "trainer.gtp.__main__",
        "trainer.analyse.__main__",
    ],
)
def test_a_gpu_that_is_not_there_is_one_line(
    module: str,
    tmp_path: Path,
    call_main: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In every command that has --device, before it changes a file."""
    monkeypatch.setattr("trainer.gpu.devices.problem_with_cuda", lambda: "none here")
    publish_model(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    model = tmp_path / "models" / "latest.onnx"
    words: dict[str, list[object]] = {
        "trainer.loop": ["--data-dir", tmp_path],
        "trainer.__main__": [
            "--db",
            tmp_path / "replay.db",
            "--model-dir",
            tmp_path / "models",
            "--stats",
            tmp_path / "stats.json",
        ],
        "trainer.actor.__main__": ["--data-dir", tmp_path, "--replay-db-path", tmp_path / "replay.db"],
        "trainer.evaluator": ["--model", model],
        "trainer.ladder": ["--model-dir", model.parent],
        "trainer.web.__main__": ["--data-dir", tmp_path],
        "trainer.gtp.__main__": ["--model", model],
        "trainer.analyse.__main__": ["--model", model],
    }
    assert call_main(module, "--device", "cuda", *words[module]) == 1
    said = capsys.readouterr().err
    assert said == "error: --device cuda can't be used: none here; give auto or cpu to go on without a GPU\n"
    assert sorted(tmp_path.rglob("*")) == before


def test_minutes_bound_a_run_unless_steps_do() -> None:
    """Neither given: the recipe's minutes; steps alone: no time limit."""

    def bounds(*words: str) -> tuple[int | None, float | None]:
        config = config_from(words)
        return config.steps, config.minutes

    assert bounds() == (None, 1 / 3)
    assert bounds("--steps", "7") == (7, None)
    assert bounds("--steps", "7", "--minutes", "1") == (7, 1)


def test_simulations_that_are_asked_for_do_not_grow() -> None:
    """Connect 4's recipe grows from 50 to 150; a given number is constant unless the initial one is given too."""

    def searches(*words: str) -> tuple[int | None, int]:
        config = config_from(["--env-id", "connect4", *words])
        return config.first_simulations, config.simulations

    assert searches() == (50, 150)
    assert searches("--simulations", "150") == (None, 150)
    assert searches("--simulations", "50", "--first-simulations", "20") == (20, 50)


def test_a_resumed_run_keeps_the_growth_of_its_searches(tmp_path: Path) -> None:
    """Also if its number of simulations is given once more: nobody gave a number that contradicts the run."""
    words = ["--env-id", "connect4", "--data-dir", str(tmp_path)]
    write_record(RunFolder(tmp_path).record, "loop", config_from(words))
    resumed = config_from([*words, "--resume", "--simulations", "150"])
    assert (resumed.first_simulations, resumed.simulations) == (50, 150)
    other = config_from([*words, "--resume", "--simulations", "50"])
    other.check()  # what contradicts the run is said by its record, of the flag that was given
    with pytest.raises(ConfigError, match=r"--simulations is 50, but the run in .* has 150"):
        require_same_run(RunFolder(tmp_path).record, "loop", other)


def test_a_folder_without_a_run_can_not_be_resumed_without_the_name_of_a_game(
    tmp_path: Path, call_main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake in the folder's name would begin tic-tac-toe there."""
    folder = tmp_path / "otehllo"
    assert call_main("trainer.loop", "--resume", "--data-dir", folder) == 1
    assert (
        f"there is no run in {folder} to resume, because it has no run.json; give the --data-dir"
        in capsys.readouterr().err
    )
    assert not folder.exists()


def test_a_resumed_run_keeps_its_settings_and_refuses_others(
    copied: Path, call_main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is repeated on the command line, not even the game; the length may change, the learning rate may not."""
    words = ["--data-dir", str(copied), "--threads", "1"]
    longer = run_module("trainer.loop", *words, "--resume", "--steps", 170)
    assert longer.returncode == 0, longer.stderr
    assert json.loads((copied / "stats.json").read_text())["step"] == 170
    stored = json.loads((copied / "run.json").read_text())
    for command in ("loop", "train"):
        settings = stored[command]["settings"]
        assert (settings["lr"], settings["seed"], settings["steps"]) == (0.01, 3, 170)
        assert stored[command]["versions"]["torch"]
    assert stored["loop"]["settings"]["simulations"] == 10
    assert call_main("trainer.loop", *words, "--resume", "--lr", 0.02) == 1
    assert capsys.readouterr().err.strip() == (
        f"error: --lr is 0.02, but the run in {copied} has 0.01 (run.json); leave the flag out to resume that run, "
        "or start a new one without --resume"
    )


def test_the_actor_of_a_loop_waits_for_the_first_model(tmp_path: Path) -> None:
    """The trainer publishes it before the first step; no game is played without one."""
    assert actor_config(LoopConfig(data_dir=tmp_path)).wait_for_model


def test_the_page_of_a_loop_listens_where_it_is_told(tmp_path: Path) -> None:
    """By default on this machine alone."""
    assert web_config(LoopConfig(data_dir=tmp_path)).host == "127.0.0.1"
    config = web_config(LoopConfig(data_dir=tmp_path, web_host="0.0.0.0", web_port=8081))
    assert (config.host, config.port, config.data_dir) == ("0.0.0.0", 8081, tmp_path)


def test_a_cluster_without_ray_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line that says how to install it; without the flag nothing asks."""
    monkeypatch.setitem(sys.modules, "ray", None)
    local.require_ray(LoopConfig())
    with pytest.raises(ConfigError) as refusal:
        local.require_ray(LoopConfig(ray="auto"))
    assert str(refusal.value) == "--ray needs Ray, which is not installed; install it with: pip install 'ray>=2.52'"


@pytest.mark.parametrize(
    ("package", "flag", "what"),
    [
        ("tensorboard", "tensorboard", "--tensorboard needs the package tensorboard"),
        ("onnxscript", "network_file", "the export of a custom network needs onnxscript"),
    ],
)
def test_a_missing_package_is_named_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, flag: str, what: str
) -> None:
    """The folder of the run isn't made."""
    monkeypatch.setitem(sys.modules, package, None)
    config = LoopConfig(data_dir=tmp_path / "run", minutes=1.0, **{flag: tmp_path / "own"})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=f"^{what}, which is not installed"):
        local.run_loop(config, Event())
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_ray_is_imported_without_the_flag() -> None:
    """Not by the loop, the actor, the trainer, nor by what a cluster has beside Ray."""
    modules = "trainer.launch.local, trainer.actor.actor, trainer.trainer, trainer.cluster.player, trainer.cluster.hub"
    code = f"import sys, {modules}; print([name for name in sys.modules if name.partition('.')[0] == 'ray'])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
