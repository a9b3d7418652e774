"""The cache of compiled code: shared by processes, kept small, and not needed if it can't be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from waiting import PATIENCE

from trainer.actor.selfplay import SelfPlay
from trainer.compile.cache import keep
from trainer.compile.linker import link
from trainer.core.errors import ConfigError
from trainer.evaluators.uniform import uniform
from trainer.games import find_game
from trainer.games.kernels import link_kernels
from trainer.games.positions import Positions
from trainer.players import MinimaxPlayer
from trainer.search import Search, tree
from trainer.settings.groups.self_play import SelfPlaySettings
from trainer.sparse import forward, lanes

COUNT_FIRST_MOVES = """
import sys
import numpy as np
from trainer.games.kernels import link_kernels

def warm_up(linked):
    game = linked.rules.GAME
    states, mask = np.zeros((1, game.state_words), np.uint64), np.zeros((1, game.num_actions), np.bool_)
    linked.rows.start(states)
    linked.rows.legal(states, mask, np.zeros(game.num_actions, np.int32))
    print(int(mask.sum()), "from the cache" if linked.rows.legal.stats.cache_hits else "compiled")

link_kernels(sys.argv[1], warm_up=warm_up)
"""
"""A program that prints how many first moves a game has, counted by a kernel that calls the game's compiled rules."""


@pytest.fixture
def rules_file(tmp_path: Path) -> Path:
    """The rules of tic-tac-toe in a file that may be edited."""
    path = tmp_path / "edited.py"
    path.write_text(find_game("tictactoe").path.read_text().replace('env_id="tictactoe"', 'env_id="edited"'))
    return path


def start(rules_file: Path, cache: Path | None = None, **environment: str) -> subprocess.Popen[str]:
    """Count the first moves of a game in a process of its own, which begins with nothing but the cache."""
    own = {"PYTHONPATH": os.pathsep.join(sys.path), "CARTRIDGE_CACHE": str(cache or "")}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", COUNT_FIRST_MOVES, str(rules_file)],
        env={**os.environ, **own, **environment},
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
    """A kernel that calls the rules is compiled anew if they have changed, and loaded from the cache if not."""
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
    """If there is a file in place of the cache folder, a private folder below the temporary one is used instead."""
    in_the_way = tmp_path / "cache"
    in_the_way.write_text("not a folder")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    assert answer(start(rules_file, in_the_way, TMPDIR=str(temporary))) == "9 compiled"
    assert in_the_way.read_text() == "not a folder"
    assert answer(start(rules_file, in_the_way, TMPDIR=str(temporary))) == "9 from the cache"
    (private,) = temporary.glob("cartridge-trainer-*")
    assert private.stat().st_mode & 0o777 == 0o700


def test_a_home_folder_is_not_needed(rules_file: Path, tmp_path: Path) -> None:
    """Without `$CARTRIDGE_CACHE` the cache is in the home folder, and if there is none, in the temporary one."""
    homeless = {"HOME": "/dev/null/home", "XDG_CACHE_HOME": "", "TMPDIR": str(tmp_path)}
    assert answer(start(rules_file, **homeless)) == "9 compiled"
    assert answer(start(rules_file, **homeless)) == "9 from the cache"


def test_a_temporary_folder_that_others_can_write_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading compiled code runs it, so it is only loaded from a folder that belongs to this user alone."""
    monkeypatch.setenv("CARTRIDGE_CACHE", "/dev/null/cache")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shared = tmp_path / f"cartridge-trainer-{os.getuid()}"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(ConfigError, match="set CARTRIDGE_CACHE to a folder that you can write"):
        keep("any-0123456789abcdef", "any.py", b"", "")


def test_only_compiled_code_that_nobody_uses_is_removed_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was last used a month ago is removed when something new is compiled. Other folders are not ours to delete."""
    monkeypatch.setenv("CARTRIDGE_CACHE", str(tmp_path))
    unused, used, photographs = "go.rules-0123456789abcdef", "search.tree-0123456789abcdef", "photographs"
    results = "run-2026101512304500"  # digits are hexadecimal, too
    for name in (unused, used, photographs, results):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    for name in (unused, used):
        (tmp_path / name / "depends.txt").touch()
    for name in (unused, photographs, results):
        os.utime(tmp_path / name, (0, 0))
    keep("games.rows-0123456789abcdef", "rows.py", b"", "")
    assert {path.name for path in tmp_path.iterdir()} == {used, photographs, results, "games.rows-0123456789abcdef"}


def test_two_processes_can_clear_the_cache_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another one removes meanwhile is no reason to do without the cache."""
    monkeypatch.setenv("CARTRIDGE_CACHE", str(tmp_path))
    unused, now = tmp_path / "go.rules-0123456789abcdef", time.time
    unused.mkdir()
    (unused / "depends.txt").touch()

    def looked_at_the_clock() -> float:
        shutil.rmtree(unused, ignore_errors=True)
        return now()

    monkeypatch.setattr("trainer.compile.cache.time.time", looked_at_the_clock)
    assert keep("rows", "rows.py", b"", "") == tmp_path / "rows" / "rows.py"
    assert not unused.exists()


def test_nothing_is_compiled_after_the_warm_up() -> None:
    """Kernels are compiled while the cache is locked; playing, searching and choosing then compile nothing more."""

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
    assert before
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
    tictactoe, connect4 = (link_kernels(env_id, lanes, forward, tree) for env_id in ("tictactoe", "connect4"))
    assert tictactoe.forward is connect4.forward is link(lanes, forward).forward
    assert tictactoe.tree is not connect4.tree
