"""What the rules promise about every position: each broken promise is named."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from planting import planted

from trainer.check import alike
from trainer.check.bounds import bounds_checked
from trainer.check.checks import key
from trainer.check.checks.plain import check_plain
from trainer.check.checks.promises import check_promises
from trainer.check.findings import Level
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.games.positions import Positions

BROKEN = {
    "the second player begins": (
        ("    state[:] = 0\n    state[MOVER] = 1\n", "    state[:] = 0\n    state[MOVER] = 2\n"),
        "In the first position state[MOVER] is 2",
    ),
    "the mover is no player": (
        ("    state[MOVER] = 3 - mover\n", "    state[MOVER] = 4 - mover\n"),
        "it must be 1 or 2",
    ),
    "the winner is no player": (
        ("        state[WINNER] = DRAW\n", "        state[WINNER] = 4\n"),
        "state[WINNER] is 4",
    ),
    "the turn passes though the game is over": (
        ("        state[WINNER] = mover\n        return\n", "        state[WINNER] = mover\n"),
        "play must leave MOVER as it is when the game ends",
    ),
    "the end is missed": (("        state[WINNER] = DRAW\n        return\n", "        return\n"), "has no legal move"),
    "moves after the end": (
        ("        mask[action] = state[WINNER] == OPEN and empty", "        mask[action] = empty"),
        "but legal still allows",
    ),
    "places of the mask are left": (
        (
            "        mask[action] = state[WINNER] == OPEN and empty",
            "        if empty:\n            mask[action] = state[WINNER] == OPEN",
        ),
        "legal leaves",
    ),
    "too many moves": (("    max_plies=9,", "    max_plies=9,\n    max_moves=8,"), "There are 9 legal moves"),
    "a word that start leaves": (
        (
            "def legal(state: State, mask: Mask) -> None:",
            "def start(state):\n    state[0] = 1\n    state[1] = 0\n\n\ndef legal(state: State, mask: Mask) -> None:",
        ),
        "start leaves word 2, 3 of the state as it was; it must write every word",
    ),
    "an unknown code": (
        ("np.uint64(2) * ((state", "np.uint64(3) * ((state"),
        "has the code 3, but GAME knows the codes 0 to 2",
    ),
    "reading changes the position": (
        (
            "    own = state[STONES + int(state[MOVER]) - 1]\n",
            "    own = state[STONES + int(state[MOVER]) - 1]\n    state[3] |= ONE\n",
        ),
        "Reading this position changes word 3",
    ),
    "games are longer than promised": (("    max_plies=9,", "    max_plies=8,"), "The game isn't over after 8 moves"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_named(name: str, tmp_path: Path) -> None:
    """With moves that lead to a position that breaks it."""
    change, words = BROKEN[name]
    with bounds_checked():
        found = check_promises(Subject(planted(tmp_path, "tictactoe", change), 50))
    assert words in " ".join(finding.text for finding in found)
    assert all(finding.level is Level.FAILURE and finding.moves is not None for finding in found)


LISTING = (
    "def legal(state: State, mask: Mask) -> None:",
    "def moves(state, found):\n    mask = state\n    count = 0\n    for action in range(9):\n"
    "        taken = (state[STONES] | state[STONES + 1]) >> np.uint64({}) & ONE\n"
    "        if state[WINNER] == OPEN and taken == 0:\n            found[count] = {}\n            count += 1\n"
    "    return count\n\n\ndef unused(state: State, mask: Mask) -> None:",
)


@pytest.mark.parametrize(("listed", "words"), [("action", ""), ("8 - action", "the actions must be ascending")])
def test_lists_of_moves_must_ascend(listed: str, words: str, tmp_path: Path) -> None:
    """A game may list its moves in place of the mask."""
    change = (LISTING[0], LISTING[1].format(listed, listed))
    with bounds_checked():
        found = check_promises(Subject(planted(tmp_path, "tictactoe", change), 50))
    assert [words in finding.text for finding in found] == [True] * bool(words)


def test_more_listed_moves_than_promised_are_named(tmp_path: Path) -> None:
    """Although play leaves out those beyond `max_moves`."""
    listing = (LISTING[0], LISTING[1].format("action", "action"))
    with bounds_checked():
        promise = ("    max_plies=9,", "    max_plies=9,\n    max_moves=2,")
        (found,) = check_promises(Subject(planted(tmp_path, "tictactoe", listing, promise), 50))
    assert "There are 9 legal moves, but GAME says max_moves=2" in found.text


def test_a_negative_index_is_a_warning(tmp_path: Path) -> None:
    """The neighbour beyond the edge is a cell of the last row, without any error."""
    change = (
        "        if stones & line == line:",
        "        if stones & line == line and LINES[int(stones & ONE) - 1] != 0:",
    )
    with bounds_checked():
        (found,) = check_plain(Subject(planted(tmp_path, "tictactoe", change), 50))
    assert found.level is Level.WARNING
    assert "the index -1 counts from the end of the array" in found.text
    assert "`if stones & line == line and LINES[int(stones & ONE) - 1] != 0:`" in found.text


def test_wins_next_is_not_asked_of_finished_positions(tmp_path: Path) -> None:
    """As in search: it may look for a king that is captured by then."""
    own = "    own = state[STONES + int(state[MOVER]) - 1]\n"
    change = (own, f"{own}    if state[WINNER] != OPEN:\n        own = state[STONES + 2]\n")
    with bounds_checked():
        assert check_promises(Subject(planted(tmp_path, "tictactoe", change), 50)) == []


def test_an_index_that_is_out_of_bounds_later_is_located(tmp_path: Path) -> None:
    """In the first position in which it is: that with a stone of the second player."""
    change = (
        "    for cell in range(9):\n        at =",
        "    for cell in range(9 + int(state[STONES + 1] != 0)):\n        at =",
    )
    with bounds_checked():
        (found,) = check_promises(Subject(planted(tmp_path, "tictactoe", change), 50))
    assert "cells uses an index that is out of bounds (index 9 is out of bounds" in found.text
    assert "`board[cell] = " in found.text
    assert found.moves is not None
    assert len(found.moves) == 2


LISTED_STONES = (
    ("    state_words=4,\n", "    state_words=14,\n"),
    (
        "    state[STONES + mover - 1] |= ONE << np.uint64(action)\n    if has_line",
        "    state[STONES + mover - 1] |= ONE << np.uint64(action)\n"
        "    state[5 + int(state[4])] = action\n    state[4] += ONE\n    if has_line",
    ),
    ("    state[STONES:] = 0\n", ""),
    (
        "            state[STONES + int(board[cell]) - 1] |= ONE << np.uint64(cell)\n",
        "            state[STONES + int(board[cell]) - 1] |= ONE << np.uint64(cell)\n"
        "            state[5 + int(state[4])] = cell\n            state[4] += ONE\n",
    ),
)
"""Also a list of the stones, whose length from_cells counts up from 0. (Their order is another one than in play.)"""


def test_from_cells_may_rely_on_words_that_are_zero(tmp_path: Path) -> None:
    """As they are where a stored position is restored."""
    with bounds_checked():
        assert check_plain(Subject(planted(tmp_path, "tictactoe", *LISTED_STONES), 50)) == []


def test_of_long_histories_only_a_sample_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of games of 1,000 words; all their positions would take twice the memory that the games take while they are played."""
    monkeypatch.setattr(key, "TAILS", 50)
    history = ("    state_words=4,\n", "    state_words=1_004,\n    raw_words=1_000,\n    key_words=4,\n")
    counted = (
        "    state[STONES + mover - 1] |= ONE << np.uint64(action)\n    if has_line",
        "    state[STONES + mover - 1] |= ONE << np.uint64(action)\n    state[4] += ONE\n    if has_line",
    )
    subject = Subject(planted(tmp_path, "tictactoe", history, counted), 50)
    every = np.concatenate([ply.before.states for ply in RandomGames(subject, 50)])
    tails = key.tails_of(subject, 50, 4)
    assert tails.shape == (50, 1_000)
    assert np.abs(tails[:, 0].mean() - every[:, 4].mean()) < 1.5
    tracemalloc.start()
    key.tails_of(subject, 50, 4)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < every.nbytes


def test_of_many_moves_only_a_sample_of_the_pairs_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten first positions have 90 moves; for half as many there is memory."""
    one, two = (Subject("tictactoe").first(10) for _ in range(2))
    monkeypatch.setattr(alike, "MOST_NUMBERS", 45 * (one.game.obs_size + one.game.state_words))
    found = alike.effects(one, two)
    assert np.unique(found.pair).tolist() == [0, 2, 4, 6, 8]
    assert len(found.pair) == len(found.actions) == len(found.after_one.states) == len(found.after_two.states) == 45


def test_positions_without_a_move_are_passed_over_where_pairs_are_looked_for(tmp_path: Path) -> None:
    """Random games need not have met them before. Here nobody can move after the first stone."""
    change = (
        "        mask[action] = state[WINNER] == OPEN and empty",
        "        mask[action] = occupied == 0 and empty",
    )
    with bounds_checked():
        subject = Subject(planted(tmp_path, "tictactoe", change), 50)
        assert alike.pairs_alike(subject, 50, Positions.stored, lambda one, two: (one != two).any(axis=1)) == []
