"""What the benchmarks of a GPU do on a machine without one: nothing that fails keeps them from measuring the rest."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bench import __main__ as bench_command
from bench.__main__ import BenchConfig
from bench.parts import PARTS, Part
from bench.parts.gpu import learning, play
from bench.report import machine
from bench.report.report import JSON_FILE, PAGE, Report, load, page, read, save
from bench.report.result import Result, or_failed
from bench.support import actors
from bench.support.job import Job
from bench.support.size import TINY
from bench.support.workload import Workload, ready
from trainer.core.errors import ConfigError
from trainer.games.recipes import recipe_of

ROOT = Path(__file__).parents[2]
MARK = Result("a mark", "", [1.0])
"""A result that takes no time."""


def marked(*_: object) -> Iterator[Result]:
    """In place of what isn't looked at."""
    yield MARK


class NoWorkload:
    """Fails in place of an actor, and keeps what it was started with."""

    started: list[tuple[list[str], float | None]]

    def __init__(self, commands: Sequence[list[str]], *_: object, patience: float | None) -> None:
        self.started.append((commands[0], patience))
        raise RuntimeError("the process ended")


@pytest.fixture
def no_actors(monkeypatch: pytest.MonkeyPatch) -> type[NoWorkload]:
    """Every actor fails at its start."""
    monkeypatch.setattr(NoWorkload, "started", [], raising=False)
    monkeypatch.setattr(actors, "Workload", NoWorkload)
    return NoWorkload


def test_evaluations_are_measured_though_every_actor_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_actors: type[NoWorkload]
) -> None:
    """Each actor has a row that says so; none may take ten minutes until it counts."""
    monkeypatch.setattr(play, "evaluations", marked)
    monkeypatch.setattr(play, "exactness", lambda *_: iter(()))
    *failed, last = play.measure(Job(TINY, tmp_path))
    assert last is MARK
    assert len(failed) == len(no_actors.started) > 1
    assert {one.note for one in failed} == {"RuntimeError: the process ended"}
    assert {patience for _, patience in no_actors.started} == {play.PATIENCE}


@pytest.mark.usefixtures("no_actors")
def test_games_begin_as_in_the_loop(tmp_path: Path) -> None:
    """With its share of random openings. From the empty board all games would be at about the same ply."""
    list(play.self_play(Job(TINY, tmp_path), torch.device("cpu")))
    share = f"{recipe_of('connect4').random_openings}"
    assert all(words[words.index("--random-openings") + 1] == share for words, _ in NoWorkload.started)
    assert NoWorkload.started


def test_the_rest_of_the_evaluations_is_measured_though_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two numbers of threads, the first fails."""

    def rate(evaluator: object, env_id: str, batch: int, threads: int, seconds: float) -> float:
        if threads == 1:
            raise RuntimeError("CUDA error: an illegal memory access\nmore")
        return 5.0

    monkeypatch.setattr(play, "positions_per_second", rate)
    size = replace(TINY, gpu_threads=(1, 2))
    one, two = play.evaluated(Job(size, tmp_path), torch.device("cpu"), "connect4", play.CONV, 8)
    assert (one.ours, two.ours) == ([], [5.0])
    assert one.note == "RuntimeError: CUDA error: an illegal memory access more"


def test_the_loop_and_all_steps_are_measured_though_the_profiler_sees_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The share of matrix products is unknown then, for each size of batches."""

    @contextmanager
    def blind(**_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(key_averages=list)

    monkeypatch.setattr(learning, "profile", blind)
    monkeypatch.setattr(learning, "learned", marked)
    results = list(learning.measure(Job(replace(TINY, gpu_training_batches=(4, 8)), tmp_path)))
    assert MARK in results
    results.remove(MARK)
    assert [one.unit for one in results] == ["ms/step", "", "ms/step", ""]
    assert [bool(one.ours) for one in results] == [True, False, True, False]
    assert all("has recorded no kernel" in one.note for one in results[1::2])


def test_steps_are_measured_with_torch_set_as_in_the_trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its number of threads too, which are as before afterwards."""
    seen = []

    def noted(*_: object) -> Iterator[Result]:
        seen.append(torch.get_num_threads())
        yield MARK

    monkeypatch.setattr(learning, "training_steps", noted)
    monkeypatch.setattr("trainer.training.learner.available_cores", lambda: 3)
    before = torch.get_num_threads()
    results = list(learning.training(Job(TINY, tmp_path), torch.device("cpu")))
    assert results == [MARK] * len(TINY.gpu_training_batches)
    assert seen == [3] * len(TINY.gpu_training_batches)
    assert torch.get_num_threads() == before


def test_a_row_says_how_much_memory_torch_has_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a GPU; elsewhere it says nothing."""
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 3 * 2**29)
    assert play.memory_taken(torch.device("cuda")) == "1.50 GiB of the GPU's memory"
    assert play.memory_taken(torch.device("cpu")) == ""


def test_the_loop_is_measured_before_the_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its wrong moves are what matters most, and a call may be cut short."""
    steps = Result("steps", "ms/step", [2.0])
    monkeypatch.setattr(learning, "learned", marked)
    monkeypatch.setattr(learning, "training", lambda *_: iter([steps]))
    assert list(learning.measure(Job(TINY, tmp_path))) == [MARK, steps]


@pytest.mark.parametrize(("given", "minutes"), [(None, TINY.gpu_loop_minutes), (0.5, 0.5), (0.0, 0.0)])
def test_the_minutes_of_the_loop_can_be_chosen(
    given: float | None, minutes: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of the soak can."""
    asked: list[float] = []

    def measure(job: Job) -> list[Result]:
        asked.append(job.size.gpu_loop_minutes)
        return []

    monkeypatch.setattr(bench_command, "PARTS", {"one": Part("One", measure)})
    bench_command.run(BenchConfig(("one",), out=tmp_path, tiny=True, gpu_loop_minutes=given))
    assert asked == [minutes]


def test_minutes_below_0_are_refused(tmp_path: Path) -> None:
    """In one sentence."""
    with pytest.raises(ConfigError, match=r"^--gpu-loop-minutes is -1; 0 or more is needed$"):
        bench_command.run(BenchConfig(("overlap",), out=tmp_path, tiny=True, gpu_loop_minutes=-1))


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """The documents of a machine without a GPU, with one part of each kind."""
    reports = {name: Report(name, "2026-01-01", {"cpu": "x"}, [MARK]) for name in ("selfplay", "gpu")}
    save(reports, tmp_path / "docs", known=PARTS)
    return tmp_path / "docs"


def test_results_of_another_machine_are_taken_over(measured: Path, tmp_path: Path) -> None:
    """Its parts take the place of ours, in both files; the others stay."""
    other = {"gpu": Report("gpu", "2026-02-02", {"gpu": "y"}, [replace(MARK, ours=[2.0])])}
    save(other, tmp_path / "other", known=PARTS)
    bench_command.run(BenchConfig(merge=tmp_path / "other" / JSON_FILE, out=measured))
    reports = load(measured / JSON_FILE)
    assert (reports["selfplay"].date, reports["gpu"]) == ("2026-01-01", other["gpu"])
    assert (measured / PAGE).read_text() == page(reports)


def test_what_a_run_had_measured_when_it_was_cut_short_is_taken_over(
    measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first result, not that of which it failed."""

    def breaks(job: Job) -> Iterator[Result]:
        yield replace(MARK, ours=[3.0])
        raise KeyboardInterrupt

    monkeypatch.setitem(PARTS, "gpu", Part("gpu", breaks))
    with pytest.raises(KeyboardInterrupt):
        bench_command.run(BenchConfig(("gpu",), out=tmp_path, tiny=True))
    bench_command.run(BenchConfig(merge=tmp_path / "unfinished-benchmarks.json", out=measured))
    assert [one.ours for one in load(measured / JSON_FILE)["gpu"].results] == [[3.0]]


@pytest.mark.parametrize("text", ["not JSON", "[]", '{"gpu": 1}', '{"gpu": {"title": "gpu"}}'])
def test_a_file_without_results_is_refused(text: str, measured: Path, tmp_path: Path) -> None:
    """And nothing is changed."""
    (tmp_path / "other.json").write_text(text)
    before = (measured / JSON_FILE).read_text()
    with pytest.raises(ConfigError, match=r"other\.json has no results of `python -m bench` \(.+\)$"):
        bench_command.run(BenchConfig(merge=tmp_path / "other.json", out=measured))
    assert (measured / JSON_FILE).read_text() == before


@pytest.mark.parametrize(("own", "found"), [(None, "abc"), ("def+", "def+")])
def test_the_commit_of_a_copy_is_that_of_the_environment(
    own: str | None, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only files travel to some machines, without their history. A checkout knows better."""
    monkeypatch.setattr(machine, "commit", lambda: own)
    monkeypatch.setenv(machine.COMMIT, "abc")
    assert machine.describe_machine()["commit"] == found


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_wheels_that_were_loaded_before_are_gone(tmp_path: Path) -> None:
    """Two versions of one package can't be installed at once. The commit lies beside the wheels."""
    pip = tmp_path / "pip"
    pip.write_text("#!/bin/sh\ntouch build/wheels/tyro-$VERSION.whl\n")
    pip.chmod(0o755)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, "commit", "--quiet", "--allow-empty", "-m", "One"], cwd=tmp_path, check=True)
    for version in ("1", "2"):
        command = ["make", "-f", str(ROOT / "Makefile"), "gpu-wheels", f"PYTHON={pip}"]
        subprocess.run(command, cwd=tmp_path, check=True, env=os.environ | {"VERSION": version})
    wheels = tmp_path / "build" / "wheels"
    assert {path.name for path in wheels.iterdir()} == {"tyro-2.whl", "commit"}
    assert re.fullmatch(r"[0-9a-f]{40}\n", (wheels / "commit").read_text())


def test_what_failed_is_on_the_page() -> None:
    """With its reason, and it can be read again."""

    def fails() -> Iterator[Result]:
        yield MARK
        raise ValueError("no\nboard")

    results = list(or_failed("a measurement", fails()))
    assert results[0] is MARK
    report = Report("A", "2026-01-01", {"cpu": "x"}, results)
    assert "| a measurement | failed |" in page({"one": report})
    assert "- a measurement: ValueError: no board." in page({"one": report})
    assert read(json.loads(json.dumps(report.fields()))) == report


def test_a_workload_that_counts_nothing_is_given_up_after_its_own_patience() -> None:
    """It sleeps for ever."""
    workload = Workload([[sys.executable, "-c", "import time; time.sleep(1000000)"]], patience=0.01)
    with pytest.raises(RuntimeError, match="counted nothing"), ready(workload):
        pass
