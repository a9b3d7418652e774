"""Run the tests as other machines would: `make test-portable`, or `python tools/portable_tests.py [RUN ...]`.

The runs: the compiled code of other processors (their instruction sets, through Numba and PyTorch), other versions of
Python, and one core that another process keeps busy. Each has its own cache. Logs are in build/portable.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOGS = ROOT / "build" / "portable"
ON_ALL_CORES = ("--numprocesses", "auto", "--dist", "worksteal")
NUMERIC = (
    "training/steps/test_adamw.py",
    "training/steps/test_device_steps.py",
    "network/test_network.py",
    "network/test_own_network.py",
    "gpu/test_evaluator.py",
    "export/test_export.py::test_the_model_answers_as_torch_does",
    "export/test_export.py::test_a_model_of_unknown_layout_answers_as_torch_does",
    "export/test_export.py::test_a_tower_answers_as_torch_does",
    "export/test_export.py::test_a_later_file_has_the_later_weights",
    "export/test_export.py::test_exact_answers_are_those_of_float64",
    "export/test_export.py::test_differences_are_relative_to_the_largest_output",
    "export/test_export.py::test_a_wider_network_begins_as_the_narrow_one_and_learns_with_all_of_it",
    "export/test_export.py::test_a_network_with_more_filters_or_more_units_begins_as_the_narrow_one",
    "training/test_trainer.py::test_training_learns_what_the_rows_say",
    "training/test_trainer.py::test_a_lost_position_gets_a_negative_value",
    "training/test_trainer.py::test_the_same_seed_gives_the_same_weights",
    "training/test_trainer.py::test_rows_without_policy_only_train_the_value",
    "training/test_trainer.py::test_gradients_are_clipped_unless_clipping_is_off",
    "training/test_trainer.py::test_an_average_of_the_weights_is_published",
    "evaluators/test_sparse.py",
    "evaluators/test_half_precision.py",
    "evaluators/test_acceleration.py::test_the_first_twin_that_answers_alike_is_used",
    "evaluators/test_acceleration.py::test_a_twin_that_answers_otherwise_is_not_used",
    "evaluators/test_onnx_file.py::test_masked_softmax_is_the_softmax_over_legal_moves",
    "evaluators/test_onnx_file.py::test_masked_softmax_of_huge_logits_neither_overflows_nor_vanishes",
    "evaluators/test_onnx_file.py::test_a_model_answers_each_row_by_its_outputs_of_the_contract",
    "search/test_gumbel_root.py",
    "search/test_search.py::test_visits_and_value_are_those_worked_out_by_hand",
    "search/test_search.py::test_first_play_urgency_makes_an_unvisited_move_look_worse",
    "search/test_search.py::test_values_keep_their_sign_when_a_player_moves_twice",
    "search/test_search.py::test_the_prior_alone_decides_the_first_simulation",
    "search/test_search.py::test_a_proof_overrides_the_evaluator",
    "search/test_search.py::test_noise_changes_the_priors_of_the_root_only",
    "search/test_search.py::test_a_policy_temperature_softens_the_priors_of_every_node",
    "search/test_search.py::test_search_finds_what_minimax_finds",
    "search/test_search.py::test_search_with_a_perfect_evaluator_plays_perfectly",
    "search/test_transpositions.py::test_visits_and_values_add_up",
)
"""The tests whose results depend on how a processor rounds: learning, inference, and searches by hand. Rules compute with
integers: their tests are part of the whole suite only. pytest refuses a name that is not there."""
FURTHER_GAMES = "othello or minichess or dots or hex or mnk or go]"
"""Games that the numeric tests leave out: others take the same paths, and each must be compiled."""


@dataclass(frozen=True)
class Run:
    """The suite under one condition."""

    name: str
    environment: dict[str, str] = field(default_factory=dict)
    """Environment variables that choose the instruction set."""
    needs: str = ""
    """The flag that this machine's processor must have in /proc/cpuinfo to run such code."""
    python: str = ""
    """Another Python to run with, as major.minor."""
    on_busy_core: bool = False


RUNS = (
    Run("x86-64", {"NUMBA_CPU_NAME": "x86-64", "ATEN_CPU_CAPABILITY": "default"}, needs="sse2"),
    Run("haswell", {"NUMBA_CPU_NAME": "haswell", "ATEN_CPU_CAPABILITY": "avx2"}, needs="avx2"),
    Run("skylake-avx512", {"NUMBA_CPU_NAME": "skylake-avx512"}, needs="avx512vl"),
    Run("python3.12", python="3.12"),
    Run("python3.13", python="3.13"),
    Run("busy-core", on_busy_core=True),
)


class Missing(Exception):
    """What a run needs isn't there; the text says what."""


def main() -> int:
    """Do the runs, one after the other; returns 1 if one failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the tests are ended, too
    runs = [run.name for run in RUNS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"which ones: {', '.join(runs)}; all by default")
    parser.add_argument("--numeric", action="store_true", help="only the tests that depend on how floats are rounded")
    chosen = parser.parse_args()
    if unknown := set(chosen.runs) - set(runs):
        parser.error(f"there is no run named {unknown.pop()}; the runs are {', '.join(runs)}")
    LOGS.mkdir(parents=True, exist_ok=True)
    tests = ["-m", ""]
    if chosen.numeric:
        names = [f"tests/{name}" for name in NUMERIC]
        tests = ["-m", "not command and not long", "-k", f"not ({FURTHER_GAMES})", *names]
    failed = False
    for run in RUNS:
        if not chosen.runs or run.name in chosen.runs:
            failed |= not carry_out(run, tests)
    return int(failed)


def carry_out(run: Run, tests: list[str]) -> bool:
    """Do one run and say in a line how it ended; returns whether it passed or can't be done here."""
    log = LOGS / f"{run.name}.log"
    began = time.monotonic()
    try:
        if run.needs and run.needs not in processor_flags():
            raise Missing(f"this processor has no {run.needs}")
        python = python_for(run.python) if run.python else sys.executable
        with tempfile.TemporaryDirectory() as cache, busy_core(run.on_busy_core) as core, open(log, "wb") as output:
            status = subprocess.run(
                [*core, python, "-m", "pytest", *([] if core else ON_ALL_CORES), *tests],
                cwd=ROOT,
                stdout=output,
                stderr=output,
                env=os.environ | {"CARTRIDGE_CACHE": cache} | run.environment,
            ).returncode
    except Missing as reason:
        print(f"{run.name}: not run, because {reason}", flush=True)
        return True
    lines = log.read_text(errors="replace").splitlines()
    if status:
        print("\n".join(lines[-60:]))
    last = lines[-1].strip("= ") if lines else "no output"
    print(f"{run.name}: {'FAILED' if status else 'passed'} after {time.monotonic() - began:.0f} s, {last}", flush=True)
    return status == 0


def processor_flags() -> set[str]:
    """What this machine's processor can do; nothing on other systems than Linux and other processors than x86."""
    cpuinfo = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpuinfo.exists():
        return set()
    return next((set(line.split()) for line in cpuinfo.read_text().splitlines() if line.startswith("flags")), set())


def python_for(version: str) -> Path:
    """An environment of another Python, with what the tests need. Raises Missing if that Python isn't found."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return Path(sys.executable)
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    python = shutil.which(f"python{version}") or (pyenv and pyenv[-1])
    works = python and not subprocess.run([python, "-c", ""], capture_output=True).returncode
    if not works:
        python = pyenv and pyenv[-1]  # the command may be pyenv's, for a version that isn't chosen
    if not python:
        raise Missing(f"there is no python{version} on the PATH")
    folder = LOGS / f"venv-{version}"
    if not (folder / "bin" / "python").exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    with open(LOGS / f"install-{version}.log", "wb") as log:
        command = [folder / "bin" / "python", "-m", "pip", "install", "--constraint", "constraints.txt"]
        subprocess.run([*command, "--editable", ".[dev]"], cwd=ROOT, stdout=log, stderr=log, check=True)
    return folder / "bin" / "python"


def busy() -> list[str]:
    """The words of a command that keeps a core busy until this process ends, in whatever way."""
    return [sys.executable, "-c", f"import os\nwhile os.getppid() == {os.getpid()}: pass"]


@contextmanager
def busy_core(wanted: bool) -> Iterator[list[str]]:
    """Keep one core busy while the block runs; yields the words that bind a command to it. Raises Missing.

    `wanted` is False: nothing, and no words.
    """
    if not wanted:
        yield []
        return
    if not shutil.which("taskset"):
        raise Missing("there is no taskset (Debian: apt-get install util-linux)")
    words = ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))]
    other = subprocess.Popen([*words, *busy()])
    try:
        yield words
    finally:
        other.kill()
        other.wait()


if __name__ == "__main__":
    sys.exit(main())
