"""The benchmarks run, report honestly what is missing, and can read what they wrote."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from html import escape
from importlib import import_module
from math import isnan
from pathlib import Path

import pytest
from programs import ending, is_running, processes_of
from rich.console import Console
from waiting import PATIENCE, wait_until

from bench import __main__ as bench_command
from bench.parts import PARTS, cluster, coldstart, selfplay, soak
from bench.parts.gpu import overlap
from bench.parts.gpu.learning import PRODUCTS
from bench.profiles.bar_chart import bar_chart
from bench.profiles.clock import REST
from bench.profiles.selfplay import selfplay_profile
from bench.profiles.training import training_profile
from bench.report.report import JSON_FILE, PAGE, Report, cells, page, read, save, show
from bench.report.result import Result, Target
from bench.support.actors import flags_of
from bench.support.databases import make_rows
from bench.support.job import Job
from bench.support.size import TINY
from bench.support.training_steps import bare_step, buffer_of, milliseconds, our_step
from bench.support.workload import Workload, ready
from trainer.core.command import run_command
from trainer.settings.trainer import TrainerConfig

ROOT = Path(__file__).parents[2]
BY_THE_CLOCK = ("overlap", "cluster", "soak")
"""Parts whose turns end after a time, even if a busy machine has done nothing in it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for databases, shared by all parts."""
    return tmp_path_factory.mktemp("bench")


def result(**changed: object) -> Result:
    """4 moves/s against 2, with a target of three times as many."""
    values = {"what": "moves", "unit": "moves/s", "ours": [4.0, 2.0, 9.0], "against": "them", "theirs": [2.0]}
    return Result(**(values | {"target": Target(least=3)} | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PARTS)
def test_every_part_runs_and_can_be_reported(name: str, folder: Path) -> None:
    """With tiny sizes: there are results, none failed, no figure is negative, rates are above 0, and each is on the page."""
    results = list(PARTS[name].measure(Job(TINY, folder)))
    assert results
    assert [one.note for one in results if not one.ours] == []
    assert all(figure >= 0 for one in results for figure in (*one.ours, *one.theirs))
    if name not in BY_THE_CLOCK:
        assert all(figure > 0 for one in results if one.unit.endswith("/s") for figure in (*one.ours, *one.theirs))
    text = page({name: Report.now(PARTS[name].title, {"cpu": "some"}, results)})
    assert all(one.what in text for one in results)


def test_a_training_step_of_ours_and_of_the_bare_loop_can_be_made(tmp_path: Path) -> None:
    """Both on the rows of one database."""
    make_rows(tmp_path / "replay.db", "tictactoe", 100)
    config = TrainerConfig(db=tmp_path / "replay.db", env_id="tictactoe", batch_size=8)
    with closing(buffer_of(config)) as replay:
        assert all(milliseconds(step(replay, config), 1) > 0 for step in (our_step, bare_step))


@pytest.mark.parametrize(
    ("kernel", "multiplies"),
    [
        ("nvjet_hsh_128x128_64x6_1x2_h_bz_coopA_NTT", True),
        ("sm90_xmma_fprop_implicit_gemm_bf16bf16_bf16f32_f32_nhwckrsc_nhwc_tilesize128x128x64", True),
        ("cudnn_generated_fort_native_sdpa_sm80_knob", True),
        ("aten::mkldnn_convolution", True),
        ("void cudnn::ops::nchwToNhwcKernel<__nv_bfloat16, __nv_bfloat16, float, false, true>", False),
        ("void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<float>>", False),
        ("aten::convolution_overrideable", False),
    ],
)
def test_kernels_that_multiply_are_known_by_name(kernel: str, multiplies: bool) -> None:
    """Those of cuBLAS, CUTLASS and cuDNN are counted; what copies or adds isn't."""
    assert bool(PRODUCTS.search(kernel)) == multiplies


def test_profiles_say_where_the_time_goes(folder: Path) -> None:
    """Each kernel has its time, the rest is Python's, and the picture shows every one of them."""
    job = Job(TINY, folder)
    for times in (selfplay_profile("tictactoe", TINY, folder / "profile"), training_profile("tictactoe", job)):
        assert {"network", REST} < set(times)
        assert all(time > 0 for time in times.values())
        assert list(times.values()) == sorted(times.values(), reverse=True)
        assert all(escape(name) in bar_chart("Times", "ns", times) for name in times)


def test_a_peer_that_is_not_installed_has_no_figure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported as not installed, without a ratio and without a verdict."""
    monkeypatch.setattr(selfplay, "are_installed", lambda *modules: False)
    for one in selfplay.measure(Job(TINY, folder)):
        assert one.theirs == []
        assert one.ratio is None
        assert one.met is None
        assert list(cells(one))[2] == f"{one.against}: not installed"


def test_a_figure_is_the_median_or_the_best_and_a_ratio_is_ours_by_theirs() -> None:
    """Of 4, 2 and 9 the median is 4 and the least is 2; against 2 the ratio is 2, which misses the target of 3."""
    assert (result().figure, result().ratio, result().met) == (4, 2, False)
    assert (result(pick="least").figure, result(pick="most").figure) == (2, 9)
    assert result(theirs=[1.0]).met is True


def test_a_target_bounds_the_ratio_or_else_our_figure() -> None:
    """At most 5: 4 alone is within it, 4 against 0.5 is not; without bounds there is no verdict."""
    at_most = Target(most=5)
    assert result(target=at_most, against="", theirs=[]).met is True
    assert result(target=at_most, theirs=[0.5]).met is False
    assert result(target=Target()).met is None


def test_the_page_keeps_the_sections_of_other_parts(tmp_path: Path) -> None:
    """A part that is measured again replaces only its own section, and the JSON file reads back."""
    old = {name: Report("A", "2026-01-01", {"cpu": "x"}, [result(what=name)]) for name in ("one", "two")}
    save(old, tmp_path, known=("one", "two"))
    save({"two": Report("A", "2026-02-02", {"cpu": "x"}, [result(what="again")])}, tmp_path, known=("one", "two"))
    text = (tmp_path / "benchmarks.md").read_text()
    stored = {name: read(fields) for name, fields in json.loads((tmp_path / "benchmarks.json").read_text()).items()}
    assert stored["one"] == old["one"]
    assert stored["two"].results[0].what == "again"
    assert text == page(stored)
    assert "| one |" in text
    assert "| two |" not in text
    show(stored, Console(quiet=True))


def test_the_page_drops_the_sections_of_parts_that_no_longer_exist(tmp_path: Path) -> None:
    """After a part was removed, the next measurement of any part removes its section from both files."""
    reports = {name: Report("A", "2026-01-01", {"cpu": "x"}, [result(what=name)]) for name in ("one", "two")}
    save(reports, tmp_path, known=("one", "two"))
    save({"one": reports["one"]}, tmp_path, known=("one",))
    assert "| two |" not in (tmp_path / "benchmarks.md").read_text()
    assert list(json.loads((tmp_path / "benchmarks.json").read_text())) == ["one"]


def test_the_published_page_is_made_from_the_published_json() -> None:
    """As `save` makes it."""
    stored = json.loads((ROOT / "docs" / JSON_FILE).read_text())
    assert (ROOT / "docs" / PAGE).read_text() == page({name: read(fields) for name, fields in stored.items()})


def test_rows_are_made_by_the_actors_writer(tmp_path: Path) -> None:
    """There are as many rows as asked for, plus those that complete the last games."""
    make_rows(tmp_path / "replay.db", "connect4", 500)
    connection = sqlite3.connect(tmp_path / "replay.db")
    rows, games, ends = connection.execute(
        "SELECT count(*), count(DISTINCT episode_id), sum(done) FROM transitions"
    ).fetchone()
    connection.close()
    assert 500 <= rows < 542
    assert games == ends


def test_settings_become_flags() -> None:
    """A number is the flag's value, True is the flag alone, and False and None are left out."""
    assert flags_of(replay_window=5, gumbel=True, cache=0, resume=False, seed=None) == [
        "--replay-window",
        "5",
        "--gumbel",
        "--cache",
        "0",
    ]


def test_a_workload_that_dies_is_an_error_with_its_last_words() -> None:
    """The message has the command and what it wrote on standard error."""
    workload = Workload([[sys.executable, "-c", "raise SystemExit('no board found')"]])
    with pytest.raises(RuntimeError, match=r"(?s)SystemExit.*no board found"), ready(workload):
        pass


def test_a_start_that_never_ends_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An actor that plays nothing is given up, and ended."""
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 1000000\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(sleeper))
    monkeypatch.setattr("bench.support.workload.PATIENCE", 0.1)
    with pytest.raises(RuntimeError, match=r"^the actor stores no game within 0.1 s$"):
        coldstart.measure(Job(TINY, tmp_path))


def look(share: float) -> soak.Look:
    """What was seen at that share of 100 seconds: ten simulations/s so far."""
    return soak.Look(share, 100 * share, int(1000 * share), resident=1.0, machine_speed=1.0)


def test_a_rate_takes_two_looks() -> None:
    """A busy machine may have made fewer in a tenth of the time."""
    assert isnan(soak.rate([]))
    assert isnan(soak.rate([look(0.5)]))
    assert soak.rate([look(0.2), look(0.3), look(0.5)]) == 10


def test_the_looks_nearest_to_a_span_stand_for_it_if_none_is_inside() -> None:
    """At least two for a rate, and one for the memory, in order of time."""
    looks = [look(share) for share in (0.0, 0.1, 0.5, 0.9, 0.95, 1.0)]
    assert [one.share for one in soak.compared(looks, (0.85, 1.0))] == [0.9, 0.95, 1.0]
    assert [one.share for one in soak.compared(looks, (0.15, 0.3))] == [0.0, 0.1]
    assert cluster.memory_in([(0.1, 1.0), (0.9, 2.0), (0.95, 3.0)], (0.85, 1.0)) == [2.0, 3.0]
    assert cluster.memory_in([(0.1, 1.0), (0.9, 2.0), (0.95, 3.0)], (0.15, 0.3)) == [1.0]


def test_results_say_which_minutes_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five minutes others than of twenty."""
    monkeypatch.setattr(soak, "watch", lambda job: ([look(share / 20) for share in range(21)], [b"", b""]))
    monkeypatch.setattr(soak, "fresh_rates", lambda job, models: [[1.0], [1.0]])
    results = soak.measure(Job(replace(TINY, soak_minutes=5), tmp_path))
    assert results[0].what == "self-play at the end of 5 minutes, window 1,000"
    assert [one.against.partition(",")[0].removeprefix("that of ") for one in results] == [
        "minutes 0.75 to 1.5 of 5"
    ] * 4


class FakeRay:
    """A hub that stores a shipment at once, and the calls of Ray that wait for it."""

    def __init__(self) -> None:
        self.store = self

    def options(self, **_: object) -> FakeRay:
        """Its call, whatever the options."""
        return self

    def remote(self, *shipment: object) -> object:
        """The reply to a shipment."""
        return object()

    def wait(self, replies: list[object], **_: object) -> tuple[list[object], list[object]]:
        """None has arrived yet."""
        return [], replies

    def get(self, reply: object) -> None:
        """It arrives."""


def test_a_crowd_has_answers_also_in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on its way at the end is waited for. It doesn't count as stored in that time."""
    crowd = import_module("bench.support.crowd")  # imports Ray, which takes a moment
    monkeypatch.setattr(crowd, "ray", FakeRay())
    found = crowd.play([FakeRay()], 4, 1e6, 0.0001, crowd.Recorded("tictactoe"))
    assert found.answers
    assert found.stored == 0


def test_threads_make_at_least_one_step() -> None:
    """Also if the time is over before one is made."""
    evaluator = overlap.sleeping(0.0, 2)
    assert overlap.batches_per_second(evaluator, threads=2, games=2, seconds=0.0) > 0


def test_a_turn_measures_the_growth_of_the_count() -> None:
    """A process that counts makes progress in its turn, and none after it."""
    count = "import time, itertools\nfor n in itertools.count(1): print(n, flush=True); time.sleep(0.001)"
    workload = Workload([[sys.executable, "-c", count]])

    def stands_still() -> bool:
        """Whether nothing is counted for a while. What was printed before the halt may still be read at first."""
        before = workload.counts()
        time.sleep(0.2)
        return workload.counts() == before

    with ready(workload):
        assert workload.turn(0.05).rates["count"] > 0
        wait_until(stands_still, "a halted process goes on")


def test_tiny_results_do_not_replace_the_published_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are written beside the databases."""
    monkeypatch.chdir(tmp_path)
    bench_command.run(bench_command.BenchConfig(("publish",), tiny=True, work=tmp_path / "work"))
    assert (tmp_path / "work" / "tiny" / JSON_FILE).exists()
    assert not (tmp_path / "docs").exists()


HALTING = """
import signal, sys
from bench import __main__ as command
from bench.parts import PARTS, Part
from bench.support.workload import Workload, ready

COUNT = "import time, itertools\\nfor n in itertools.count(1): print(n, flush=True); time.sleep(0.001)"

def measure(job):
    with job.scratch() as folder, ready(Workload([[sys.executable, "-c", COUNT, f"{folder}/"]])):
        print("halted", flush=True)
        signal.pause()

PARTS["halting"] = Part("A workload is halted", measure)
sys.exit(command.main())
"""


def test_sigterm_ends_a_halted_workload(tmp_path: Path) -> None:
    """If only the benchmarks get it. The folder of temporary files is removed, too."""
    words = ["halting", "--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    command = [sys.executable, "-c", HALTING, *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process, ending(process):
        assert process.stdout is not None
        assert process.stdout.readline() == "halted\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 1
    assert processes_of(tmp_path) == []
    assert list((tmp_path / "work").iterdir()) == []


def test_a_core_is_kept_busy_no_longer_than_the_tests_run() -> None:
    """Also if what runs them is killed."""
    program = "import subprocess; from tools.portable_tests import busy; "
    program += "print(subprocess.Popen(busy(), stdout=subprocess.DEVNULL).pid)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    wait_until(lambda: not is_running(int(done.stdout)), "it goes on")


def test_an_unknown_part_is_an_error_that_names_the_parts(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit status 1."""
    assert run_command(bench_command.BenchConfig, bench_command.run, "python -m bench", ["nothing"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: there is no part nothing; the parts are selfplay, ")
    assert said.count("\n") == 1
