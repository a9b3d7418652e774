"""The benchmarks run, say honestly what is missing, and read what they wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from stored_rows import select

from bench import selfplay
from bench.databases import make_rows
from bench.job import Job
from bench.measured import Result, Target
from bench.parts import PARTS
from bench.report import Report, cells, page, read, save, show
from bench.size import TINY

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Databases that all parts share."""
    return tmp_path_factory.mktemp("bench")


def result(**changed: object) -> Result:
    """Four a second against two, aiming at three times as many."""
    values = {"what": "moves", "unit": "moves/s", "ours": [4.0, 2.0, 9.0], "against": "them", "theirs": [2.0]}
    return Result(**(values | {"target": Target(least=3)} | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PARTS)
def test_every_part_runs_and_can_be_reported(name: str, folder: Path) -> None:
    """On tiny sizes: figures, none of them below zero, a line each in table and page."""
    results = PARTS[name].measure(Job(TINY, folder))
    assert results
    assert all(figure >= 0 for one in results for figure in (*one.ours, *one.theirs))
    text = page({name: Report.now(PARTS[name].title, {"cpu": "some"}, results)})
    assert all(one.what in text for one in results)


def test_a_peer_that_is_not_installed_has_no_figure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named and reported as not installed; no ratio, no verdict."""
    monkeypatch.setattr(selfplay, "are_installed", lambda *modules: False)
    for one in selfplay.measure(Job(TINY, folder)):
        assert one.theirs == []
        assert one.ratio is None
        assert one.met is None
        assert list(cells(one))[2] == f"{one.against}: not installed"


def test_figures_are_medians_or_the_best_and_ratios_are_ours_by_theirs() -> None:
    """Of 4, 2, 9: 4 in the middle, 2 at best; against 2 the ratio is 2, which is less than 3."""
    assert (result().figure, result().ratio, result().met) == (4, 2, False)
    assert (result(pick="least").figure, result(pick="most").figure) == (2, 9)
    assert result(theirs=[1.0]).met is True


def test_a_target_is_of_the_ratio_or_else_of_our_figure() -> None:
    """At most 5: 4 alone is, 4 against 0.5 is not; without bounds there is no verdict."""
    at_most = Target(most=5)
    assert result(target=at_most, against="", theirs=[]).met is True
    assert result(target=at_most, theirs=[0.5]).met is False
    assert result(target=Target()).met is None


def test_the_page_keeps_the_sections_of_other_parts(tmp_path: Path) -> None:
    """One part measured anew replaces its own section only, and the JSON file reads back."""
    old = {name: Report("A", "2026-01-01", {"cpu": "x"}, [result(what=name)]) for name in ("one", "two")}
    save(old, tmp_path)
    save({"two": Report("A", "2026-02-02", {"cpu": "x"}, [result(what="anew")])}, tmp_path)
    text = (tmp_path / "benchmarks.md").read_text()
    stored = {name: read(fields) for name, fields in json.loads((tmp_path / "benchmarks.json").read_text()).items()}
    assert stored["one"] == old["one"]
    assert stored["two"].results[0].what == "anew"
    assert text == page(stored)
    assert "| one |" in text
    assert "| two |" not in text
    show(stored, Console(quiet=True))


def test_rows_are_made_by_the_actors_writer(tmp_path: Path) -> None:
    """As many as asked for and the rest of the last games; all of them are whole."""
    make_rows(tmp_path / "replay.db", "connect4", 500)
    query = "SELECT count(*), count(DISTINCT episode_id), sum(done) FROM transitions"
    ((rows, games, ends),) = select(tmp_path / "replay.db", query)
    assert 500 <= rows < 542
    assert games == ends


def test_an_unknown_part_is_an_error_that_names_the_parts() -> None:
    """One line, exit status 1."""
    done = subprocess.run([sys.executable, "-m", "bench", "nothing"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no part is named nothing; the parts are selfplay, ")
