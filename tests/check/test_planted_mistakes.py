"""Each mistake that silently ruins training is planted in a copy of a game; the checker finds it and explains it.

The checks that ran before the one that fails have passed, so a mistake is found for the right reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from planting import found_in, numbered, planted

from trainer.check import report
from trainer.check.checks.stored import check_stored
from trainer.check.checks.symmetries import check_symmetries
from trainer.check.findings import Finding, Level
from trainer.check.subject import Subject
from trainer.games import rules_of
from trainer.games.kernels import link_kernels
from trainer.games.position import Position

COMPILE = "functions compile, and compute with integers"
PROMISES = "every position of random games is as promised"
STORED = "stored positions come back as they were"
WINS = "wins_next tells the truth"
KEY = "words beyond key_words decide nothing"
HIDDEN = "the network sees all that decides"
SYMMETRIES = "symmetries hold"
SEATS = "players can be exchanged as Seats says"


@dataclass(frozen=True)
class Plant:
    """A change of a game's text, the check that must fail, and words that its explanation must have."""

    game: str
    changes: tuple[tuple[str, str], ...]
    check: str
    words: tuple[str, ...]


PLAY_3T = "    state[STONES + mover - 1] |= ONE << np.uint64(action)\n    if has_line"
SIDES = (
    ("    symmetries=square_symmetries(3),\n", ""),
    ("    if has_line(state[STONES + mover - 1]):", "    if has_line(state[STONES + mover - 1], mover):"),
    (
        'def has_line(stones: np.uint64) -> bool:\n    """Whether',
        'def has_line(stones: np.uint64, mover: int) -> bool:\n    """Whether',
    ),
    ("    for line in LINES:", "    for line in LINES[3 * mover - 3 : 3 * mover]:"),
    ("has_line(own | (ONE << np.uint64(action)))", "has_line(own | (ONE << np.uint64(action)), int(state[MOVER]))"),
)
"""Tic-tac-toe in which the first player needs a row and the second a column."""

PLANTS = {
    "planes are swapped though the sides differ": Plant(
        "tictactoe", SIDES, SEATS, ("The results aren't opposite", "seats=None")
    ),
    "a symmetry permutes the board, but not the policy": Plant(
        "tictactoe",
        (
            ("square_symmetries(3)", "tuple(Symmetry(one.cells, tuple(range(9))) for one in square_symmetries(3))"),
            ("import square_symmetries", "import Symmetry, square_symmetries"),
        ),
        SYMMETRIES,
        ("Symmetry 1 of GAME (the rotation by 90 degrees to the left) doesn't hold", "table of actions"),
    ),
    "a symmetry that the rules don't have": Plant(
        "tictactoe",
        (("DIAGONALS = [0b100_010_001, 0b001_010_100]", "DIAGONALS = [0b100_010_001]"),),
        SYMMETRIES,
        ("doesn't hold", "The rules treat the directions of the board differently"),
    ),
    "a symmetry of the board, but not of gravity": Plant(
        "connect4",
        (
            (
                "symmetries=column_symmetries(7, 6),",
                "symmetries=(\n        column_symmetries(7, 6)[0],\n"
                "        Symmetry(tuple(35 - 7 * (cell // 7) + cell % 7 for cell in range(42)), tuple(range(7))),\n    ),",
            ),
            ("import column_symmetries", "import Symmetry, column_symmetries"),
        ),
        SYMMETRIES,
        ("(the top-bottom reflection) doesn't hold", "the table of actions or that of cells is wrong"),
    ),
    "the winner is wrong after an extra turn": Plant(
        "pairs",
        (
            (
                "            state[WINNER] = mover\n",
                "            filled = 0\n            for action in range(6):\n"
                "                if state[place(action)] != 0:\n                    filled += 1\n"
                "            state[WINNER] = 2 - filled % 2\n",
            ),
            ("\n\ndef wins_next", "\n\ndef no_wins_next"),
        ),
        SEATS,
        ("The results aren't opposite", "not by counting moves", "move twice"),
    ),
    "the sign is wrong after an extra turn": Plant(
        "pairs",
        (
            (
                "    if owned(state, state[MOVER]) == 0:\n        return False\n",
                "    filled = 0\n    for action in range(6):\n        if state[place(action)] != 0:\n"
                "            filled += 1\n    mover = np.uint64(1 + filled % 2)  # as if the players took turns\n"
                "    if owned(state, mover) == 0:\n        return False\n",
            ),
        ),
        WINS,
        ("can win at once, but no legal move does", "state[MOVER]"),
    ),
    "hidden state decides the result": Plant(
        "tictactoe",
        (
            ("    state_words=4,\n", "    state_words=5,\n    flag_words=1,\n"),
            ("STONES = FLAGS  #", "CORNER = FLAGS\nSTONES = FLAGS + 1  #"),
            (PLAY_3T, f"    if state[STONES] == 0 and action == 0:\n        state[CORNER] = 1\n{PLAY_3T}"),
            ("        state[WINNER] = DRAW\n", "        state[WINNER] = DRAW if state[CORNER] == 0 else 2\n"),
            ("    symmetries=square_symmetries(3),\n", "    seats=None,\n"),
        ),
        HIDDEN,
        ("The network can't see all that decides", "state[FLAGS];", "`features`", "state[WINNER] becomes"),
    ),
    "a kind of piece that appears late is forgotten": Plant(
        "kings",
        ((" == plane + 1\n", " == plane + 1 and plane != 2 and plane != 3\n"),),
        HIDDEN,
        ("The network can't see all that decides", "The states differ in", "`features`"),
    ),
    "words become floats": Plant(
        "tictactoe",
        (
            (
                PLAY_3T,
                "    bit = ONE << np.uint64(action) if action > 0 else 1\n"
                "    state[STONES + mover - 1] |= np.uint64(bit)\n    if has_line",
            ),
        ),
        COMPILE,
        (
            "line {bit = ONE}: in play, `bit = ONE <<",
            "computes with a float",
            "a uint64 in one place and an int64 in another",
        ),
    ),
    "a division makes floats": Plant(
        "tictactoe",
        ((PLAY_3T, f"    state[STONES] = int(int(state[STONES]) / 1)\n{PLAY_3T}"),),
        COMPILE,
        ("computes with a float, because `/` divides into floats: write `//`",),
    ),
    "an index is out of bounds when moves are listed": Plant(
        "tictactoe",
        (("    for action in range(9):\n        empty", "    for action in range(10):\n        empty"),),
        PROMISES,
        ("legal uses an index that is out of bounds", "index 9 is out of bounds", "`mask[action] ="),
    ),
    "an index is out of bounds late in the game": Plant(
        "pairs",
        (("    state[place(action)] = mover\n", "    state[place(action)] = mover\n    state[12 - action] += 0\n"),),
        PROMISES,
        ("play uses an index that is out of bounds", "`state[12 - action] += 0`"),
    ),
    "an invented win": Plant(
        "tictactoe",
        (("    own = state[STONES + int(state[MOVER]) - 1]\n", "    own = state[STONES] | state[STONES + 1]\n"),),
        WINS,
        ("wins_next says that player", "but no legal move does"),
    ),
    "all wins are missed": Plant(
        "tictactoe",
        (("        if mask[action] and has_line(own |", "        if mask[action] and has_line(own &"),),
        WINS,
        ("wins_next finds none of the",),
    ),
    "words beyond the key decide": Plant(
        "pairs",
        (("    state_words=11,", "    state_words=11,\n    key_words=8,"),),
        KEY,
        ("have the same first 8 words, so search takes them for the same", "Raise key_words"),
    ),
    "a history beyond the key decides what is legal": Plant(
        "tictactoe",
        (
            ("    state_words=4,\n", "    state_words=5,\n    raw_words=1,\n    key_words=4,\n"),
            ("    symmetries=square_symmetries(3),\n", ""),
            (PLAY_3T, f"    state[4] = action + 1\n{PLAY_3T}"),
            ("== OPEN and empty", "== OPEN and empty and (state[4] != action or state[STONES + 1] != 0)"),
            ("    state[STONES:] = 0\n", "    state[STONES : STONES + 2] = 0\n"),
        ),
        KEY,
        ("A raw word beyond the key (state[4]) decides whether action", "Raise key_words"),
    ),
    "a history that the network would have to see": Plant(
        "tictactoe",
        (
            ("    state_words=4,\n", "    state_words=5,\n    raw_words=1,\n"),
            ("    symmetries=square_symmetries(3),\n", ""),
            (PLAY_3T, f"    if state[STONES] == 0 and action == 0:\n        state[4] = 1\n{PLAY_3T}"),
            ("        state[WINNER] = DRAW\n", "        state[WINNER] = DRAW if state[4] == 0 else 2\n"),
            ("    state[STONES:] = 0\n", "    state[STONES : STONES + 2] = 0\n"),
        ),
        HIDDEN,
        ("if these raw words are a history, set key_words to the number of words before them", "a flag in `features`"),
    ),
    "a position isn't stored whole": Plant(
        "tictactoe",
        (
            ("    state_words=4,\n", "    state_words=5,\n"),
            (PLAY_3T, f"    state[4] += 1\n{PLAY_3T}"),
        ),
        STORED,
        ("word 4 of this position is 0 instead of 1", "from_cells", "flag_words"),
    ),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_mistake_is_found_and_explained(name: str, tmp_path: Path) -> None:
    """By the check that is meant for it, with the moves that show it."""
    plant = PLANTS[name]
    found = found_in(planted(tmp_path, plant.game, *plant.changes), until=plant.check)
    assert plant.check in found, found
    text = " ".join(finding.text for finding in found[plant.check])
    for words in plant.words:
        assert numbered(words, tmp_path) in text
    if plant.check != COMPILE:
        assert all(finding.moves is not None for finding in found[plant.check])


def test_an_index_out_of_bounds_that_only_a_later_check_meets_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here that of the stored positions, because those before it, which would meet it too, are left out."""
    monkeypatch.setattr(report, "FOUNDATIONS", {})
    monkeypatch.setattr(report, "CHECKS", {STORED: check_stored})
    change = ("state[STONES + int(board[cell]) - 1]", "state[STONES + int(board[cell]) + 1]")
    (finding,) = found_in(planted(tmp_path, "tictactoe", change))[STORED]
    assert finding.text.startswith("from_cells uses an index that is out of bounds (index 4 is out of bounds for ")
    assert numbered("line {int(board[cell]) + 1}: `state[STONES + int(board[cell]) + 1] |=", tmp_path) in finding.text
    assert finding.moves is not None
    assert len(finding.moves) == 1


def test_a_mistake_of_a_check_itself_is_none_of_the_game(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its traceback."""

    def mistaken(subject: Subject) -> list[Finding]:
        raise IndexError("list index out of range")

    monkeypatch.setattr(report, "FOUNDATIONS", {})
    monkeypatch.setattr(report, "CHECKS", {STORED: mistaken})
    with pytest.raises(IndexError, match="list index"):
        list(report.results(Subject("tictactoe", 5)))


PASSING = (
    ("    num_actions=6,", "    num_actions=7,"),
    ("    max_plies=6,", "    max_plies=10,"),
    ("(6,), (7,)),", "(6,), (7,), ()),"),
    ("[place(action)] == 0\n\n", "[place(action)] == 0\n    mask[6] = state[WINNER] == OPEN\n\n"),
    (
        "    mover = state[MOVER]\n",
        "    mover = state[MOVER]\n    if action == 6:\n        state[MOVER] = THREE - mover\n        return\n",
    ),
)
"""Pairs with a pass that is always legal."""


def test_a_game_that_never_ends_is_found(tmp_path: Path) -> None:
    """Whoever passes for ever reaches `max_plies` and the game is still open."""
    path = planted(tmp_path, "pairs", *PASSING)
    found = found_in(path)
    (finding,) = found[PROMISES]
    assert "The game isn't over after 10 moves, although GAME promises max_plies=10" in finding.text
    assert finding.moves is not None
    assert len(finding.moves) == 10
    assert Subject(path).plain(finding.moves).winner == 0


def test_games_that_only_the_limit_ends_if_players_avoid_the_end_are_a_note(tmp_path: Path) -> None:
    """The rules count the moves and end the game, but players who avoid the end pass until then."""
    changes = (
        *(change for change in PASSING if "mover" not in change[0] and "max_plies" not in change[0]),
        ("    max_plies=6,", "    max_plies=60,"),
        (
            "    state_words=11,",
            "    state_words=12,\n    flag_words=1,\n    features=60,\n    planes=2,\n    seats=None,",
        ),
        ("import FLAGS, MOVER", "import DRAW, MOVER"),
        ("TWO = np", "COUNT = 2\nFLAGS = 3\nTWO = np"),
        (
            "    mover = state[MOVER]\n",
            "    mover = state[MOVER]\n    state[COUNT] += np.uint64(1)\n    if state[COUNT] == 60:\n"
            "        state[WINNER] = DRAW\n        return\n    if action == 6:\n"
            "        state[MOVER] = THREE - mover\n        return\n",
        ),
        (
            "\n\ndef place(",
            "\n\ndef features(state, out):\n    for cell in range(9):\n        out[cell] = state[FLAGS + cell] == 1\n"
            "        out[9 + cell] = state[FLAGS + cell] == 2\n    for ply in range(60):\n"
            "        out[18 + ply] = state[COUNT] == ply\n\n\ndef place(",
        ),
    )
    path = planted(tmp_path, "pairs", *changes)
    (notes,) = (found for found in found_in(path, Level.NOTE).values() if "because of max_plies" in found[0].text)
    assert {finding.level for finding in notes} == {Level.NOTE}
    assert "games of moves that avoid the end of the game are only over because of max_plies=60" in notes[0].text


BARRED = """
from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Game
from trainer.games.symmetry import Symmetry

GAME = Game(env_id="{name}", width=4, height=1, num_actions=4, max_plies=3, flag_words=1, planes=3, seats=None,
            symmetries=(Symmetry(range(4), range(4)), Symmetry((3, 2, 1, 0), (3, 2, 1, 0))))


def start(state):
    state[:] = 0
    state[MOVER] = 1
    state[FLAGS] = {first}


def legal(state, mask):
    for cell in range(4):
        mask[cell] = state[WINNER] == OPEN and state[FLAGS + 1 + cell] == 0 and state[FLAGS] != cell + 1


def play(state, action):
    state[FLAGS] = 0
    state[FLAGS + 1 + action] = state[MOVER]
    filled = 0
    for cell in range(4):
        filled += state[FLAGS + 1 + cell] != 0
    if filled == 3:
        state[WINNER] = state[MOVER]
    else:
        state[MOVER] = 3 - state[MOVER]


def features(state, out):
    for cell in range(4):
        out[cell] = state[FLAGS + 1 + cell] == 1
        out[4 + cell] = state[FLAGS + 1 + cell] == 2
        out[8 + cell] = state[FLAGS] == cell + 1
"""
"""The player who lays the third stone wins. A flag, if it isn't 0, names the cell on which the first one mayn't lie."""


def test_a_flag_that_the_renamed_first_position_should_have_renamed_is_mentioned(tmp_path: Path) -> None:
    """The rules are the same from both sides, but the check doesn't know what the flag means."""
    found = []
    for first in (0, 2):
        path = tmp_path / f"barred{first}.py"
        path.write_text(BARRED.format(name=path.stem, first=first))
        found.append(check_symmetries(Subject(str(path), 50)))
    assert found[0] == []
    (finding,) = found[1]
    assert finding.level is Level.FAILURE
    assert "flags or raw words other than 0, and this check doesn't rename those" in finding.text


def test_a_word_below_zero_is_a_warning(tmp_path: Path) -> None:
    """Where the rules compare two words by their difference, in plain and in compiled code."""
    change = (
        "        state[WINNER] = DRAW\n",
        "        state[WINNER] = DRAW if state[STONES] - state[STONES + 1] > 0 else 3\n",
    )
    ((name, (warning,)),) = found_in(planted(tmp_path, "tictactoe", change), Level.WARNING).items()
    assert name == "compiled and plain functions agree"
    assert (
        numbered(
            "line {state[STONES] - }: `state[WINNER] = DRAW if state[STONES] - state[STONES + 1] > 0 else 3`", tmp_path
        )
        in warning.text
    )
    assert "a word would go below zero" in warning.text
    assert "np.int64(a) - np.int64(b)" in warning.text
    assert warning.moves is not None


def test_the_difference_that_the_warning_advises_is_the_same_in_compiled_code(tmp_path: Path) -> None:
    """Here 1 - 2, of the stones on cells 0 and 1: it isn't above 0. With `int` compiled code would say that it is."""
    change = (
        "    mover = int(state[MOVER])\n",
        "    mover = int(state[MOVER])\n    if action == 8:\n"
        "        state[WINNER] = 1 if np.int64(state[STONES]) - np.int64(state[STONES + 1]) > 0 else 2\n        return\n",
    )
    path = planted(tmp_path, "tictactoe", change)
    for rules in (rules_of(path), link_kernels(path).rules):
        assert Position.first(rules).play(0).play(1).play(8).winner == 2
