"""What people see of a game: the names of its moves, what they click on, how long it lasts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.check.alike import Pair, parting
from trainer.check.candidates import board_symmetries
from trainer.check.checks.hidden import check_hidden, later
from trainer.check.checks.length import check_length, short_games
from trainer.check.checks.names import check_names
from trainer.check.findings import Level
from trainer.check.subject import Subject
from trainer.core.errors import GameError
from trainer.games.base import Game
from trainer.games.position import default_name
from trainer.games.positions import Positions

PILES = Path(__file__).parent.parent / "support" / "games" / "piles.py"
GAME = """
import numpy as np
from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Game

GAME = Game(env_id="{name}", width=2, height=2, num_actions=4, max_plies=12, {more})


def legal(state, mask):  # of the four actions, two are the same move
    for action in range(4):
        mask[action] = state[WINNER] == OPEN and state[FLAGS + action % 3] == 0


def play(state, action):
    state[FLAGS + action % 3] = state[MOVER]
    if state[FLAGS] != 0 and state[FLAGS + 1] != 0 and state[FLAGS + 2] != 0:
        state[WINNER] = state[MOVER]
    else:
        state[MOVER] ^= np.uint64(3)
"""
QUIET = """
from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Game

GAME = Game(env_id="quiet", width=2, height=1, num_actions=2, max_plies=99, flag_words=1, seats=None, planes=2)


def legal(state, mask):
    mask[:] = state[WINNER] == OPEN


def play(state, action):  # action 0 changes nothing but the counter that ends the game at 5; action 1 begins again
    state[FLAGS] = 0 if action == 1 else state[FLAGS] + 1
    if state[FLAGS] == 5:
        state[WINNER] = DRAW
    else:
        state[MOVER] = 3 - state[MOVER]
"""


def subject(folder: Path, more: str = "") -> Subject:
    """The game, with more said of it."""
    path = folder / f"short{len(more)}.py"  # a file that was read must not change
    path.write_text(GAME.format(name=path.stem, more=more))
    return Subject(str(path), games=50)


def test_moves_of_one_name_are_a_warning(tmp_path: Path) -> None:
    """Both actions that are shown as a2 are named, and the position in which they are legal."""
    (found,) = check_names(subject(tmp_path, "action_cells=((0,), (1,), (2,), (0,))"))
    assert found.level is Level.WARNING
    assert "The legal moves 0, 3 are all called 'a2'" in found.text
    assert found.moves == ()


def test_an_action_that_never_changes_the_cells_that_one_clicks_on_is_a_warning(tmp_path: Path) -> None:
    """Action 0 lays a stone on cell 0. With two cells, one that changes is enough; a move that changes none is no sign."""
    (found,) = check_names(subject(tmp_path, "planes=2, action_cells=((3,), (1,), (2,), (0,))"))
    assert found.level is Level.WARNING
    assert found.text.startswith(
        "action_cells says (3,) of action 0, but none of these cells changes when it is played"
    )
    assert found.moves is not None
    assert found.moves[-1] == 0
    assert check_names(subject(tmp_path, "planes=2, action_cells=((3, 0), (1,), (2,), (0,))")) == []
    path = tmp_path / "choosing.py"
    path.write_text(QUIET.replace("quiet", "choosing").replace("seats=None", "seats=None, action_cells=((0,), (1,))"))
    assert check_names(Subject(str(path), games=50)) == []


def test_a_name_that_fails_is_a_failure(tmp_path: Path) -> None:
    """With the action, what was raised, and the line."""
    path = tmp_path / "nameless.py"
    path.write_text(GAME.format(name="nameless", more="") + '\n\ndef name(state, action):\n    return "abc"[action]\n')
    (found,) = check_names(Subject(str(path), games=50))
    assert found.level is Level.FAILURE
    assert found.text.startswith("name fails for action 3: IndexError: string index out of range (")
    assert found.text.endswith(': `return "abc"[action]`).')
    assert found.moves == ()


@pytest.mark.parametrize("more", ["", "board_type='drop_column'"])
@pytest.mark.parametrize(
    ("function", "found", "moves"),
    [
        (
            "score(state):\n    return state[FLAGS]",
            "score, which returns the points of both players, fails: TypeError: ",
            0,
        ),
        (
            "score(state):\n    return 'no', 'points'",
            "score, which returns the points of both players, fails: ValueEr",
            0,
        ),
        (
            "score(state):\n    return [0][state[WINNER]], 0",
            "score, which returns the points of both players, fails: I",
            3,
        ),
        ("text(state):\n    return 'abc'[3]", "text fails: IndexError: string index out of range (", 0),
        ("name(state, action):\n    return 'abc'[action]", "name fails for action 3: IndexError: string index out", 0),
        ("text(state):\n    return {0: 'open'}[state[WINNER]]", "text fails: KeyError: ", 3),
    ],
)
def test_what_people_see_and_fails_is_a_failure(
    tmp_path: Path, more: str, function: str, found: str, moves: int
) -> None:
    """In the first position or once the game is over, after three moves; also if moves can't be clicked on."""
    path = tmp_path / "shown.py"
    path.write_text(GAME.format(name=tmp_path.name, more=more) + f"\n\ndef {function}\n")
    (finding,) = check_names(Subject(str(path), games=50))
    assert finding.level is Level.FAILURE
    assert finding.text.startswith(found)
    assert str(path) in finding.text
    assert finding.moves is not None
    assert len(finding.moves) == moves


def test_more_actions_than_places_are_a_warning(tmp_path: Path) -> None:
    """One may be a pass; with two, nobody can say what to click on."""
    assert not [found for found in check_names(subject(tmp_path)) if "action_cells" in found.text]
    columns = subject(tmp_path, "board_type='drop_column'")
    (found,) = check_names(columns)
    assert (
        "GAME has 4 actions and no action_cells. The page then takes action a for column a, and the last 2"
        in found.text
    )


def test_a_game_that_is_shorter_than_it_says_is_a_warning(tmp_path: Path) -> None:
    """It lasts three moves: it may say four, but not ten."""
    assert check_length(subject(tmp_path)) == []
    (found,) = check_length(subject(tmp_path, "typical_plies=10"))
    assert (
        "Random games last 3.0 moves on average, but an ordinary game is taken to last 10 (typical_plies)" in found.text
    )
    assert found.text.endswith("would fill most of a game. Set typical_plies to about 3.")


def test_a_game_that_is_longer_than_its_default_is_a_warning(tmp_path: Path) -> None:
    """Three times as long is not; a pile of 60 stones on one cell is. Who gives a length may mean that of good games."""
    assert short_games(Subject(f"{PILES}:size=5")) == []
    (found,) = short_games(Subject(f"{PILES}:size=60"))
    assert "an ordinary game is taken to last 1 (by default, because typical_plies isn't given)" in found.text
    assert "would end early, so games would repeat each other. Set typical_plies to about 3" in found.text
    assert found.text.endswith(", or to the length of good games, if those are shorter.")
    given = tmp_path / "given.py"
    given.write_text(PILES.read_text().replace('    env_id="piles",', '    env_id="given",\n    typical_plies=1,'))
    assert short_games(Subject(f"{given}:size=60")) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("board_type='hexx'", "board_type is 'hexx'; it must be one of grid, drop_column, hex, edges, pieces, points"),
        ("action_cells=((0,), (1,), (2,))", "action_cells has 3 entries and there are 4 actions"),
        ("action_cells=((0,), (1,), (2,), (4,))", "action_cells says (4,) of action 3; the board's cells are 0 to 3"),
        ("max_moves=40000", "a position may have 40,000 legal moves, but search counts to 32,767; give max_moves"),
        ("key_words=7", "key_words is 7; a position has 6 words (state_words)"),
        ("player_symbols='R'", "player_names and player_symbols must have one entry for each of the two players"),
        (
            "player_symbols=('P1', 'P2')",
            "player_symbols is ('P1', 'P2'); without symbols, each must be one character",
        ),
    ],
)
def test_what_the_page_could_not_draw_is_refused(tmp_path: Path, more: str, words: str) -> None:
    """With the file and the line, before anything is played."""
    with pytest.raises(GameError, match=r"\.py, line 5: ValueError: ") as caught:
        subject(tmp_path, more)
    assert words in str(caught.value)


def test_longer_symbols_of_players_need_symbols_of_cells(tmp_path: Path) -> None:
    """The page shows them; each code of a cell has one character."""
    assert subject(tmp_path, "player_symbols=('P1', 'P2'), symbols='.12'").game.cell_symbols == ".12"


def test_a_pass_beside_columns_is_a_pass() -> None:
    """On a board of columns an action below the width is a column; a further one isn't named like one."""
    game = Game(env_id="columns", width=3, height=2, num_actions=4, max_plies=9, board_type="drop_column")
    assert [default_name(game, action) for action in range(4)] == ["a", "b", "c", "pass"]


@pytest.mark.parametrize(
    ("width", "height", "names"),
    [
        (7, 1, ["the identity", "the left-right reflection"]),
        (1, 7, ["the identity", "the top-bottom reflection"]),
        (
            3,
            2,
            ["the identity", "the left-right reflection", "the top-bottom reflection", "the rotation by 180 degrees"],
        ),
    ],
)
def test_a_symmetry_of_the_board_has_one_name(width: int, height: int, names: list[str]) -> None:
    """Also on a board of one row or column, where others have the same tables."""
    cells = width * height
    game = Game(env_id="narrow", width=width, height=height, num_actions=cells, max_plies=cells)
    found = list(board_symmetries(game))
    assert [name for name, _ in found] == names
    assert len({symmetry for _, symmetry in found}) == len(found)


def test_positions_that_look_alike_are_played_on_until_a_counter_counts(tmp_path: Path) -> None:
    """The counters are 1 and 3: action 1 makes them equal, so action 0 is played until the second game is over."""
    (tmp_path / "quiet.py").write_text(QUIET)
    one, two = (Positions(Subject(str(tmp_path / "quiet.py")).env_id, 1) for _ in range(2))
    one.states[0, 2], two.states[0, 2] = 1, 3
    found = parting(one, two, np.array([50]), np.random.default_rng(0))
    assert found is not None
    assert (found.pair, found.moves, found.winner_one, found.winner_two) == (0, (0, 0), 0, 3)
    assert parting(one, two, np.array([1]), np.random.default_rng(0)) is None


def test_a_counter_that_counts_later_is_a_failure(tmp_path: Path) -> None:
    """With the moves that show it."""
    (tmp_path / "quiet.py").write_text(QUIET)
    subject = Subject(str(tmp_path / "quiet.py"))
    one, two = (Positions(subject.env_id, 1) for _ in range(2))
    one.states[0, 2], two.states[0, 2] = 1, 3
    (found,) = later(subject, [Pair(one.states[0], two.states[0], (0,), (0, 0, 0))])
    assert (
        "But after the moves 0, 0 in both, state[WINNER] is DRAW (3) here and OPEN (0) there. The "
        "states differ in state[FLAGS]" in found.text
    )
    assert (found.level, found.moves) == (Level.FAILURE, (0, 0, 0))
    assert later(subject, []) == []


def test_a_counter_beside_a_history_is_a_failure(tmp_path: Path) -> None:
    """The histories differ, so what differs is compared as if neither had one; the text names no word of the history."""
    text = QUIET.replace("quiet", "remembering").replace("flag_words=1", "flag_words=1, raw_words=5, key_words=5")
    path = tmp_path / "remembering.py"
    path.write_text(
        text.replace(
            "    state[FLAGS] =", "    state[FLAGS + 3 + state[FLAGS]] += 2 if action else 1\n    state[FLAGS] ="
        )
    )
    (found,) = check_hidden(Subject(str(path), games=50))
    assert found.level is Level.FAILURE
    assert "in both, as if nothing had been played before, state[WINNER] is" in found.text
    assert "The states differ in state[FLAGS]; show what is in there in `features`" in found.text
