"""The cache of compiled code: never stale, shared by processes, and not needed where it can't be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from waiting import PATIENCE

from trainer.actor.selfplay import SelfPlay
from trainer.compile.linker import compiled
from trainer.evaluators.uniform import uniform
from trainer.games import rules_of
from trainer.games.positions import Positions
from trainer.players import MinimaxPlayer
from trainer.search import Search, cache, tree
from trainer.settings.self_play import SelfPlaySettings
from trainer.sparse import forward, lanes

COUNT_FIRST_MOVES = """
import sys
from pathlib import Path
import numpy as np
from registering import registered, rules_in
from trainer.games.compiled import compiled

def warm_up(rules, rows):
    states = np.zeros((1, rules.GAME.state_words), np.uint64)
    rows.start(states)
    mask = np.zeros((1, rules.GAME.num_actions), np.bool_)
    rows.legal(states, mask)
    print(int(mask.sum()), "from the cache" if rows.legal.stats.cache_hits else "compiled")

with registered(rules_in(Path(sys.argv[1]))) as env_id:
    compiled(env_id, warm_up=warm_up)
"""
"""A program that prints how many first moves a game has, counted by a kernel that calls the game's compiled rules."""


@pytest.fixture
def rules_file(tmp_path: Path) -> Path:
    """The rules of tic-tac-toe in a file that may be edited."""
    path = tmp_path / "edited.py"
    path.write_text(Path(str(rules_of("tictactoe").__file__)).read_text())
    return path


def start(rules_file: Path, cache: Path, **environment: str) -> subprocess.Popen[str]:
    """Count the first moves of a game in a process of its own, which begins with nothing but the cache."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", COUNT_FIRST_MOVES, str(rules_file)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CARTRIDGE_CACHE": str(cache), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> str:
    """What the process printed."""
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return output.strip()


def test_an_edit_of_the_rules_is_in_force_in_the_next_process(rules_file: Path, tmp_path: Path) -> None:
    """A kernel that calls into the rules is compiled anew when they change, and taken from the cache when not."""
    cache = tmp_path / "cache"
    assert answer(start(rules_file, cache)) == "9 compiled"
    assert answer(start(rules_file, cache)) == "9 from the cache"
    original = rules_file.read_text()
    rules_file.write_text(original.replace("mask[action] = ", "mask[action] = action != 4 and "))
    assert answer(start(rules_file, cache)) == "8 compiled"
    rules_file.write_text(original)
    assert answer(start(rules_file, cache)) == "9 from the cache"


def test_two_processes_share_an_empty_cache(rules_file: Path, tmp_path: Path) -> None:
    """Both begin at once and both answer; one compiles, the other waits for it and uses its work."""
    both = [start(rules_file, tmp_path / "cache") for _ in range(2)]
    assert sorted(answer(process) for process in both) == ["9 compiled", "9 from the cache"]


def test_a_cache_that_cannot_be_written_is_done_without(rules_file: Path, tmp_path: Path) -> None:
    """Where a file stands in place of the cache folder, the temporary folder is used instead."""
    in_the_way = tmp_path / "cache"
    in_the_way.write_text("not a folder")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    assert answer(start(rules_file, in_the_way, TMPDIR=str(temporary))) == "9 compiled"
    assert in_the_way.read_text() == "not a folder"
    assert answer(start(rules_file, in_the_way, TMPDIR=str(temporary))) == "9 from the cache"


def test_only_compiled_code_that_nobody_uses_is_removed_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was last used a month ago goes when something new is compiled; other folders are not ours to delete."""
    compiled("tictactoe")  # this process goes on with the code from the usual cache
    monkeypatch.setenv("CARTRIDGE_CACHE", str(tmp_path))
    unused, used, photographs = "go-rows-0123456789abcdef", "go-tree-0123456789abcdef", "photographs"
    for name in (unused, used, photographs):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    for name in (unused, photographs):
        os.utime(tmp_path / name, (0, 0))
    compiled("tictactoe")
    kept = {path.name for path in tmp_path.iterdir()}
    assert unused not in kept
    assert {used, photographs} < kept


def test_nothing_is_compiled_after_the_warm_up() -> None:
    """Kernels are compiled under the lock of the cache; playing, searching and choosing then compile nothing more."""

    def signatures() -> dict[tuple[str, str], int]:
        return {
            (name, key): len(function.signatures)
            for name, module in list(sys.modules.items())
            if name.startswith("_compiled_")
            for key, function in vars(module).items()
            if hasattr(function, "signatures")
        }

    config = SelfPlaySettings(simulations=5, random_openings=0.5)
    games = SelfPlay("connect4", 4, iter(range(6)), 0, "a", config)
    positions, search, minimax = Positions("connect4", 4), Search("connect4", 4, 5), MinimaxPlayer("connect4")
    before = signatures()
    games.play_randomly()
    while not games.idle:
        games.step(uniform)
    positions.play(np.array([0, 2]), np.array([1, 2]))
    positions.replay(1, [3, 3])
    for part in (positions, positions.of(positions.states[[0, 2]]), positions.of(positions.states[::2])):
        for method in (part.legal, part.observation, part.stored, part.successors):
            method()
        search.run(part.states[::2], 5, uniform)
        minimax.choose(part, [])
    assert signatures() == before


def test_what_uses_nothing_of_a_game_is_compiled_once_for_all() -> None:
    """A network's kernels are the same modules for each game and for none; a search's are not."""
    _, _, _, of_network = compiled("tictactoe", lanes, forward)
    _, _, *others, of_search = compiled("connect4", lanes, forward, cache, tree)
    assert of_network is others[1] is compiled(None, lanes, forward)[-1]
    assert of_search is not compiled("tictactoe", cache, tree)[-1]
