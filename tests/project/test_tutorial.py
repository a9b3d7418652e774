"""Every step of docs/adding-a-game.md works as it is written, and the README shows the same game."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE

from trainer import new_position
from trainer.check.checks.hidden import check_hidden
from trainer.check.checks.key import check_key
from trainer.check.checks.seats import check_seats
from trainer.check.findings import Level
from trainer.check.subject import Subject

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


CARTRIDGE = ["-m", "trainer.cli"]
"""What `cartridge` runs, for this Python."""


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
    words = [sys.executable, *CARTRIDGE, *step("check").split()[1:-1], f"./{name}"]
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
    assert "Trained takeaway" in run(folder, [*CARTRIDGE, *loop.split()[1:]])
    assert (folder / "runs/takeaway/rules/takeaway.py").read_text() == step("takeaway.py")
    match, web = step("evaluate").splitlines()
    assert "Games played: 100" in run(folder, [*CARTRIDGE, *match.split()[1:]])
    assert web.startswith("cartridge web --data-dir runs --games ./takeaway.py")


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


JOIN = """
import numpy as np
from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Game
SIDE = 3
CELLS = SIDE * SIDE
{example}
GAME = Game(env_id="join", width=SIDE, height=SIDE, num_actions=CELLS, max_plies=CELLS, state_words=WORK + CELLS)


def legal(state, mask):
    for cell in range(CELLS):
        mask[cell] = state[WINNER] == OPEN and state[FLAGS + cell] == 0


def play(state, action):
    state[FLAGS + action] = state[MOVER]
    filled = 0
    for cell in range(CELLS):
        filled += state[FLAGS + cell] != 0
    if joins(state):
        state[WINNER] = state[MOVER]
    elif filled == CELLS:
        state[WINNER] = DRAW
    else:
        state[MOVER] ^= np.uint64(3)
"""
"""Both players want to join the left side with the right one."""
WALK = """
import numpy as np
from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Game, Seats
LIMIT, CELLS = 20, 9
{example}
GAME = Game(env_id="walk", width=3, height=3, num_actions=9, max_plies=LIMIT, flag_words=2, raw_words=LIMIT,
            key_words=PAST, planes=2, features=1 + LIMIT,
            seats=Seats(cells=tuple(reversed(range(9))), actions=tuple(reversed(range(9)))))


def start(state):
    state[:] = 0
    state[MOVER] = 1
    state[BOARD] = 1
    state[BOARD + 8] = 2


def legal(state, mask):
    at = 0
    while state[BOARD + at] != state[MOVER]:
        at += 1
    for cell in range(9):
        near = abs(cell // 3 - at // 3) + abs(cell % 3 - at % 3) == 1
        mask[cell] = state[WINNER] == OPEN and near and state[BOARD + cell] == 0


def play(state, action):
    for cell in range(9):
        if state[BOARD + cell] == state[MOVER]:
            state[BOARD + cell] = 0
    state[BOARD + action] = state[MOVER]
    state[QUIET] += np.uint64(1)
    if state[QUIET] == LIMIT or occurrences(state) == 2:
        state[WINNER] = DRAW
    elif state[BOARD + 8] == 1 or state[BOARD] == 2:
        state[WINNER] = state[MOVER]
    else:
        state[MOVER] ^= np.uint64(3)


def features(state, out):
    for cell in range(CELLS):
        out[cell] = state[BOARD + cell] == 1
        out[CELLS + cell] = state[BOARD + cell] == 2
    out[2 * CELLS] = state[SEEN]
    for count in range(LIMIT):
        out[2 * CELLS + 1 + count] = count < state[QUIET]
"""
"""Each player has a piece that steps to a neighbouring cell. Who reaches the corner where the other one began wins."""
COUNTED = WALK.replace('"walk"', '"walk_counted"').replace(
    "def play(state, action):\n",
    """def play(state, action):
    if state[QUIET] == 0:
        position = state[MOVER] ^ np.uint64(3)
        for cell in range(CELLS):
            position ^= NUMBERS[cell, int(state[BOARD + cell])]
        state[PAST] = position
""",
)
"""The same, and the first position counts as the page says."""


@pytest.mark.parametrize(
    ("example", "game", "moves", "results"),
    [
        ("scratch", JOIN, (3, 0, 4, 6, 5), (0, 0, 0, 0, 1)),  # the middle row
        ("repetition", WALK, (1, 7, 0, 8, 1, 7, 0, 8, 1), (0,) * 8 + (3,)),  # the first of them for the third time
        ("repetition", COUNTED, (1, 7, 0, 8, 1, 7, 0, 8), (0,) * 7 + (3,)),  # the position before it
    ],
)
def test_the_further_examples_work_in_a_game(
    folder: Path, example: str, game: str, moves: tuple[int, ...], results: tuple[int, ...]
) -> None:
    """The checker finds nothing that fails, and a line of moves has the results that it must have."""
    (code,) = re.findall(rf"<!-- {example} -->\n```python\n(.*?)```", TUTORIAL, re.DOTALL)
    (name,) = re.findall(r'env_id="(\w+)"', game)
    (folder / f"{name}.py").write_text(game.format(example=code))
    status, shown = checked(folder, f"{name}.py")
    assert status == 0, shown
    position = new_position(str(folder / f"{name}.py"))
    for move, result in zip(moves, results, strict=True):
        position = position.play(move)
        assert position.winner == result


NEAR = """
NEAR, SEEN, BOARD = FLAGS, FLAGS + 1, FLAGS + 2
PAST = BOARD + CELLS
QUIET = PAST


def occurrences(state):
    state[NEAR] = 0
    for left in (10, 5):
        state[NEAR] += np.uint64(np.int64(state[QUIET]) + left >= LIMIT)
    return 0
"""
"""The walk whose counter is a raw word, and a flag that says how near the limit is."""


def test_a_count_above_255_is_shown_as_the_page_says(tmp_path: Path) -> None:
    """A raw word beyond the key, and a flag with a few steps. In a word of the key each count would have to be shown."""
    for name, key in (("near", "key_words=PAST"), ("counted", "key_words=PAST + 1")):
        text = WALK.format(example=NEAR).replace("count < state[QUIET]", "count < state[NEAR]")
        path = tmp_path / f"{name}.py"
        path.write_text(text.replace("key_words=PAST", key).replace('"walk"', f'"{name}"'))
        subject = Subject(str(path), 50)
        found = [*check_hidden(subject), *(check_key(subject) or [])]
        failed = [finding for finding in found if finding.level is Level.FAILURE]
        assert [finding.text[:40] for finding in failed] == ["The network can't see all that decides. "] * (
            key[-1] == "1"
        )


SEEDS = """
from trainer.games.base import MOVER, OPEN, WINNER, FLAGS, Game, Seats
symbols, planes, FLIPPED = ".12", 2, (2, 3, 0, 1)
GAME = Game(env_id="seeds", width=2, height=2, num_actions=4, max_plies=8, planes=planes, symbols=symbols, seats={seats})


def start(state):
    state[:] = 2
    state[MOVER] = 1
    state[WINNER] = OPEN


def legal(state, mask):
    for cell in range(4):
        mask[cell] = state[WINNER] == OPEN and cell // 2 == state[MOVER] - 1 and state[FLAGS + cell] != 0


def play(state, action):
    state[FLAGS + action] -= 1
    if state[FLAGS + action] + state[FLAGS + (action ^ 1)] == 0:
        state[WINNER] = state[MOVER]
    else:
        state[MOVER] = 3 - state[MOVER]


def features(state, out):
    for cell in range(4):
        for count in range(2):
            out[4 * count + cell] = state[FLAGS + cell] > count
"""
"""Each player has a row of two cells with two seeds each, and takes one of them. Whose row is empty first wins."""


def test_counts_in_cells_have_the_seats_that_the_page_says(tmp_path: Path) -> None:
    """With the cells and the actions of a flip. Without the table of planes the check fails."""
    (seats,) = re.findall(r"`(Seats\(codes=tuple.*?\), cells=)\.\.\.\)`", TUTORIAL)
    for name, text in {"right": seats, "wrong": seats.replace("planes=tuple(range(planes)), ", "")}.items():
        path = tmp_path / f"{name}.py"
        path.write_text(SEEDS.format(seats=f"{text}FLIPPED, actions=FLIPPED)").replace("seeds", name))
        found = check_seats(Subject(str(path), 20))
        assert found is not None
        assert ["`planes`" in finding.text for finding in found] == [True] * (name == "wrong")


def test_the_readme_shows_the_same_game() -> None:
    """Word for word."""
    (shown,) = re.findall(r"<!-- game -->\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown == step("takeaway.py")
