"""Every step of docs/adding-a-game.md works as it is written, and the README shows the same game."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE

ROOT = Path(__file__).parent.parent.parent
TUTORIAL = (ROOT / "docs" / "adding-a-game.md").read_text()
FEWER = {"--minutes 1": "--steps 60 --simulations 20 --threads 1"}
"""What makes a step shorter without changing what it shows."""


def step(name: str) -> str:
    """The code of a step of the tutorial."""
    (code,) = re.findall(rf"<!-- step: {name} -->\n```\w+\n(.*?)```", TUTORIAL, re.DOTALL)
    return str(code)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reader's folder, with the file of the first step."""
    path = tmp_path_factory.mktemp("tutorial")
    (path / "takeaway.py").write_text(step("takeaway.py"))
    return path


def run(folder: Path, words: list[str]) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_plain_python_prints_what_the_page_says(folder: Path) -> None:
    """The block after "prints"."""
    shown = re.search(r"prints\n\n```\n(.*?)```", TUTORIAL, re.DOTALL)
    assert shown is not None
    assert run(folder, ["-c", step("python")]) == shown[1]


def checked(folder: Path, name: str) -> tuple[int, list[str]]:
    """The exit status of `trainer.check` for a file, and what it prints, without the lines that name a folder or a time."""
    words = [sys.executable, *step("check").split()[1:-1], f"./{name}"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert not done.stderr
    return done.returncode, stable(done.stdout)


def stable(text: str) -> list[str]:
    """The lines of the checker's output that are the same on every machine."""
    return [line for line in text.splitlines() if not line.startswith(("speed", "Takeaway"))]


def test_the_checker_prints_what_the_page_says(folder: Path) -> None:
    """For the correct game everything; for the one with the mistake what failed."""
    correct, broken = re.findall(r"```text\n(.*?)```", TUTORIAL, re.DOTALL)
    assert checked(folder, "takeaway.py") == (0, stable(correct))
    rules, mistake = step("takeaway.py"), step("mistake")
    (folder / "broken.py").write_text(rules.replace("        state[WINNER] = state[MOVER]\n", mistake))
    status, shown = checked(folder, "broken.py")
    assert status == 1
    assert "\n".join(stable(broken)) in "\n".join(shown)


def test_the_commands_learn_and_measure(folder: Path) -> None:
    """The loop, shorter, and the match after it; the run keeps the rules."""
    (loop,) = step("loop").splitlines()
    for words, fewer in FEWER.items():
        loop = loop.replace(words, fewer)
    assert "Trained takeaway" in run(folder, loop.split()[1:])
    assert (folder / "runs/takeaway/rules/takeaway.py").read_text() == step("takeaway.py")
    match, web = step("evaluate").splitlines()
    assert "Games played: 100" in run(folder, match.split()[1:])
    assert web.startswith("python -m trainer.web --data-dir runs --games ./takeaway.py")


@pytest.mark.parametrize(
    ("size", "result"),
    [(4, "2,765 unfinished positions were visited. With best play the first player wins."), (5, "")],
)
def test_the_second_game_is_correct(folder: Path, size: int, result: str) -> None:
    """The checker finds nothing at two sizes; the small one is solved, with the result that is known."""
    (folder / "domineering.py").write_text(step("domineering.py"))
    status, shown = checked(folder, f"domineering.py:size={size}")
    assert status == 0
    assert not [line for line in shown if line.startswith(("warning", "FAILED"))]
    assert result in "\n".join(shown)


def test_the_readme_shows_the_same_game() -> None:
    """Word for word."""
    (shown,) = re.findall(r"<!-- game -->\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown == step("takeaway.py")
