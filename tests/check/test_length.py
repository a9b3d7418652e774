"""Games that could go on for ever, or for longer than they say, though games of random moves don't."""

from __future__ import annotations

import re
from pathlib import Path

from trainer.check.checks.length import check_length
from trainer.check.checks.promises import check_promises
from trainer.check.findings import Level
from trainer.check.subject import Subject

WALK = """
import numpy as np
from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Game

GAME = Game(env_id="{name}", width=3, height=3, num_actions=9, max_plies={max_plies}, flag_words=2, typical_plies=30)
COUNT, BOARD = FLAGS, FLAGS + 2


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
    mover = state[MOVER]
    for cell in range(9):
        if state[BOARD + cell] == mover:
            state[BOARD + cell] = 0
    state[BOARD + action] = mover
    {counted}
    if action == 16 - 8 * mover:
        state[WINNER] = mover
    elif 256 * state[COUNT] + state[COUNT + 1] == 300:
        state[WINNER] = DRAW
    else:
        state[MOVER] ^= np.uint64(3)
"""
"""Each player has a piece that steps to a neighbouring cell. Who reaches the corner where the other one began wins."""
COUNTED = """state[COUNT + 1] += np.uint64(1)
    if state[COUNT + 1] == 256:
        state[COUNT] += np.uint64(1)
        state[COUNT + 1] = 0"""


def walk(folder: Path, max_plies: int, counted: str) -> Subject:
    """The game with or without a counter of moves, which ends it after 300."""
    path = folder / f"walk_{folder.name}.py"
    path.write_text(WALK.format(name=path.stem, max_plies=max_plies, counted=counted))
    return Subject(str(path), games=50)


def test_moves_that_lead_back_are_a_failure(tmp_path: Path) -> None:
    """Random games end long before `max_plies`, but the pieces can go back and forth for ever."""
    subject = walk(tmp_path, 2000, "pass")
    assert check_promises(subject) == []
    (found,) = check_length(subject)
    assert "a game can go on for ever, although GAME promises max_plies=2000" in found.text
    assert found.moves is not None
    (back,) = map(int, re.findall(r"The last (\d+) of these moves lead", found.text))
    first, again = subject.plain(found.moves[:-back]), subject.plain(found.moves)
    assert str(first) == str(again)
    assert (first.mover, first.winner) == (again.mover, again.winner) == (first.mover, 0)


def test_a_limit_that_is_too_low_is_a_failure(tmp_path: Path) -> None:
    """Players who avoid the end play for 300 moves, and `max_plies` says 299."""
    subject = walk(tmp_path, 299, COUNTED)
    assert check_promises(subject) == []
    (found,) = check_length(subject)
    assert "The game isn't over after 299 moves, although GAME promises max_plies=299" in found.text
    assert found.moves is not None
    assert len(found.moves) == 299


def test_a_flag_that_only_long_games_make_too_large_is_a_failure(tmp_path: Path) -> None:
    """It counts to 300, and a flag is stored as one byte; random games end before that."""
    subject = walk(tmp_path, 300, "state[COUNT + 1] += np.uint64(1)")
    assert check_promises(subject) == []
    (found,) = check_length(subject)
    assert "A flag word is 256; flags are stored as one byte each" in found.text
    assert found.moves is not None
    assert len(found.moves) == 256


def test_a_true_limit_is_no_failure(tmp_path: Path) -> None:
    """Only a note that the limit ends all games in which the players avoid the end."""
    (found,) = check_length(walk(tmp_path, 300, COUNTED))
    assert "games of moves that avoid the end of the game are only over because of max_plies=300" in found.text
    assert "Self-play begins with games like those of random moves, and 0 of 50 of these end so" in found.text
    assert found.level is Level.NOTE


def test_a_limit_that_ends_random_games_is_a_warning(tmp_path: Path) -> None:
    """Nobody can win, because the piece would have to reach a cell that isn't there."""
    subject = walk(tmp_path, 300, COUNTED)
    rules = subject.found.path
    endless = rules.with_name("walk_nowhere.py")
    text = rules.read_text().replace("action == 16 - 8 * mover", "action == 9")
    endless.write_text(text.replace(rules.stem, endless.stem))
    (found,) = check_length(Subject(str(endless), games=50))
    assert found.text.startswith("50 of 50 games of random moves are only over because of max_plies=300")
    assert found.level is Level.WARNING


def test_a_position_without_a_move_that_only_long_games_have(tmp_path: Path) -> None:
    """After 200 moves nobody may move, though the game is open. Random games end before; those that avoid the end don't."""
    subject = walk(tmp_path, 300, COUNTED)
    rules = subject.found.path
    rules.write_text(
        rules.read_text().replace(
            "state[BOARD + cell] == 0\n", "state[BOARD + cell] == 0 and state[COUNT + 1] != 200\n"
        )
    )
    edited = rules.rename(rules.with_name("walk_stuck.py"))
    edited.write_text(edited.read_text().replace(rules.stem, "walk_stuck"))
    subject = Subject(str(edited), games=50)
    assert check_promises(subject) == []
    (found,) = check_length(subject)
    assert "The game is open, but player 1 has no legal move" in found.text
    assert found.moves is not None
    assert len(found.moves) == 200
