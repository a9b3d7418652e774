"""Rules that can't be compiled, or only in a way that differs from what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from planting import numbered, planted

from trainer.check.checks.compiled import check_compiled
from trainer.check.findings import Finding, Level
from trainer.check.subject import Subject

BEGIN = "    mover = int(state[MOVER])\n"
REFUSED = {
    "an array is made": (
        (f"{BEGIN}    state[STONES", f"{BEGIN}    board = np.zeros(9)\n    state[STONES"),
        ("line {board = np}: play can't be compiled (`board = np.zeros(9)`)", "can't allocate memory"),
    ),
    "an array of the file is written to": (
        (f"{BEGIN}    state[STONES", f"{BEGIN}    LINES[0] = ONE\n    state[STONES"),
        (
            "line {LINES[0] = ONE}: play can't be compiled (`LINES[0] = ONE`)",
            "is a constant once compiled",
            "add words to",
        ),
    ),
    "rows of a table differ in length": (
        (
            f"{BEGIN}    state[STONES",
            f"    for cell in TABLE[int(state[MOVER])]:\n        state[cell] += 0\n{BEGIN}    state[STONES",
        ),
        ("line {in TABLE}: play can't be compiled", "the rows of a table differ in length; fill them up with -1"),
    ),
    "a name is unknown beside one that has the name of an array function": (
        (
            f"{BEGIN}    state[STONES",
            f"{BEGIN}    empty = np.uint64(0)\n    state[STONES] |= empty + zeros_of(state)\n    state[STONES",
        ),
        ("line {zeros_of}: play can't be compiled", "it uses a name that the file doesn't define"),
    ),
    "a string is made": (
        (f"{BEGIN}    state[STONES", f"{BEGIN}    mover = len(str(mover))\n    state[STONES"),
        ("play can't be compiled", "can't allocate memory"),
    ),
    "a function of another module is called": (
        (f"{BEGIN}    state[STONES", f"{BEGIN}    letters(mover)\n    state[STONES"),
        ("letters is a function of trainer.games.position", "the rules must be complete in their file"),
    ),
    "a name is unknown": (
        ("    if has_line(state[STONES + mover - 1]):", "    if has_lines(state[STONES + mover - 1]):"),
        ("line {has_lines}: play can't be compiled", "it uses a name", "has_lines"),
    ),
    "an index is a float": (
        (f"{BEGIN}    state[STONES", f"{BEGIN}    state[STONES + mover / 1 - 1] |= ONE\n    state[STONES"),
        ("line {mover / 1}: play can't be compiled", "an index is a float"),
    ),
}


def findings(folder: Path, change: tuple[str, str]) -> list[Finding]:
    """What the check finds in tic-tac-toe after a change."""
    table = ("FULL = np", "from trainer.games.position import letters\nTABLE = ((1, 7), (0, 2, 4), (1,))\nFULL = np")
    return check_compiled(Subject(planted(folder, "tictactoe", table, change)))


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_compiled_is_named_in_one_sentence_with_its_line(name: str, tmp_path: Path) -> None:
    """And nothing of the compiler's own pages of text."""
    change, words = REFUSED[name]
    found = findings(tmp_path, change)
    assert [finding.level for finding in found] == [Level.FAILURE]
    for each in words:
        assert numbered(each, tmp_path) in found[0].text
    assert "\n" not in found[0].text


@pytest.mark.parametrize(
    ("name", "replaced", "text", "words"),
    [
        (
            "moves",
            "legal",
            "def moves(state, found):\n    found[0] = 0\n",
            "must return the number of moves on every path;",
        ),
        (
            "wins_next",
            "wins_next",
            "def wins_next(state, mask):\n    if mask[0]:\n        return True\n",
            "must return True or False on",
        ),
    ],
)
def test_a_function_that_forgets_its_answer_is_named(
    name: str, replaced: str, text: str, words: str, tmp_path: Path
) -> None:
    """Python's None would end the check with Numba's own pages."""
    renamed = (f"def {replaced}(", f"def no_{replaced}(")
    added = ("\n\ndef cells(", f"\n\n{text}\n\ndef cells(")
    (finding,) = check_compiled(Subject(planted(tmp_path, "tictactoe", renamed, added)))
    assert finding.level == Level.FAILURE
    assert numbered(f"line {{def {name}}}: {name} {words}", tmp_path) in finding.text


def test_a_table_whose_code_is_not_kept_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With its name and its size; it isn't logged again when the game is compiled."""
    changes = (
        ("FULL = np", "TABLE = np.zeros(130_000, np.uint64)\nUNUSED = np.zeros(130_000, np.uint64)\nFULL = np"),
        (f"{BEGIN}    state[STONES", f"{BEGIN}    state[STONES] |= TABLE[action]\n    state[STONES"),
    )
    (found,) = check_compiled(Subject(planted(tmp_path, "tictactoe", *changes)))
    assert found.level == Level.WARNING
    assert numbered("line {TABLE = np}: TABLE has 1,040,000 bytes.", tmp_path) in found.text
    assert caplog.records == []


def test_words_mixed_with_signed_numbers_are_named(tmp_path: Path) -> None:
    """Numba makes floats of them, or signed numbers, as its version has it."""
    change = (
        f"{BEGIN}    state[STONES",
        f"{BEGIN}    state[STONES] |= action & 0\n    state[STONES",
    )
    (found,) = findings(tmp_path, change)
    assert found.level >= Level.WARNING
    assert numbered("line {action & 0}", tmp_path) in found.text
    assert "a uint64 " in found.text


@pytest.mark.parametrize("name", ["empty_cells", "zeros", "np_array"])
def test_a_helper_with_the_name_of_an_array_function_is_none(name: str, tmp_path: Path) -> None:
    """Here it is called wrongly, and nothing allocates memory."""
    changes = (
        ("def has_line(", f"def {name}(stones, more):\n    return stones\n\n\ndef has_line("),
        (BEGIN, f"{BEGIN}    {name}(state[STONES])\n"),
    )
    (finding,) = check_compiled(Subject(planted(tmp_path, "tictactoe", *changes)))
    assert "Numba says: Cannot bind" in finding.text
    assert "memory" not in finding.text


@pytest.mark.parametrize(
    "made",
    ["np.empty(2)", "np.array([1, 2])", "np.arange(3)", "state.copy()", "[]", "[mover] * 9", "{1: 2}", "f'{mover}'"],
)
def test_what_allocates_is_told_by_what_numba_says_of_memory(made: str, tmp_path: Path) -> None:
    """Not by the names of functions."""
    (finding,) = findings(tmp_path, (BEGIN, f"{BEGIN}    made = {made}\n"))
    assert "it makes an array, a list or a string; compiled rules can't allocate memory" in finding.text


def test_a_module_that_is_used_as_a_whole_is_to_be_imported_by_name(tmp_path: Path) -> None:
    """Its text isn't to be copied into the file, which is right only for functions."""
    changes = (
        ("FULL = np", "from trainer.games import base\nFULL = np"),
        (BEGIN, "    mover = int(state[base.MOVER])\n"),
    )
    (finding,) = check_compiled(Subject(planted(tmp_path, "tictactoe", *changes)))
    assert finding.level == Level.FAILURE
    assert "base is the module trainer.games.base" in finding.text
    assert "use of it by name: `from trainer.games.base import ...`." in finding.text
    assert "copy" not in finding.text
