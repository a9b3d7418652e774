"""A Python function as a player."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.core.errors import ConfigError, GameError
from trainer.evaluators.loader import ModelLoader
from trainer.games.base import FIRST
from trainer.games.position import Position
from trainer.measure.match import play_match
from trainer.players import FunctionPlayer, PlayerName, RandomPlayer, named_player

LAST = """
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Taste:
    place: int

def choose(position):
    return position.legal[Taste(-1).place]
"""


def first_legal(position: Position) -> int:
    """The lowest legal action."""
    return position.legal[0]


def test_it_plays_what_the_function_says() -> None:
    """From either seat; here the lowest free cell of tic-tac-toe, which wins by cells 2, 4 and 6 as first player."""
    player = FunctionPlayer(first_legal, "tictactoe", "lowest")
    match = play_match("tictactoe", player, player, 2, 0)
    assert match.moves == [[0, 1, 2, 3, 4, 5, 6]] * 2
    assert (match.player, match.wins(FIRST), match.losses(FIRST)) == ("lowest", 1, 1)


def test_it_sees_copies_and_may_give_up() -> None:
    """A function that changes its position changes no game; -1 resigns."""

    def vandal(position: Position) -> int:
        position.state[:] = 0
        return -1

    match = play_match("tictactoe", FunctionPlayer(vandal, "tictactoe", "vandal"), RandomPlayer(), 4, 0)
    assert match.wins(1) + match.wins(2) == 0
    assert len(match.resigned) == 4


def test_a_file_with_a_function_is_a_player(tmp_path: Path) -> None:
    """By its path, which ends in .py, and is shown: two players may have files of the same name."""
    path = tmp_path / "last.py"
    path.write_text(LAST)
    player = named_player(PlayerName.read(str(path)), ModelLoader("tictactoe"), 0, 1)
    assert player.name == str(path)
    assert play_match("tictactoe", player, player, 1, 0).moves == [[8, 7, 6, 5, 4, 3, 2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "def chose(position): ...",
            r"bot\.py has no function choose\(position\), which returns one of position\.legal$",
        ),
        ("choose = 3", r"bot\.py has no function choose"),
        ("import nowhere", r"bot\.py, line 1: ModuleNotFoundError: No module named 'nowhere'$"),
        (None, r"bot\.py can't be read as a player \(No such file or directory\)$"),
    ],
)
def test_a_file_that_is_no_player_is_refused(text: str | None, message: str, tmp_path: Path) -> None:
    """In one sentence that names the file."""
    path = tmp_path / "bot.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises((ConfigError, GameError), match=message):
        named_player(PlayerName.read(str(path)), ModelLoader("tictactoe"), 0, 1)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("return position.legal[99]", "IndexError: list index out of range"),
        ("raise BrokenPipeError('the engine is gone')", "BrokenPipeError: the engine is gone"),
        ("raise TimeoutError", "TimeoutError: "),
        ("return position.play(99)", r"GameError: action 99 is not legal here; legal are 0, 1, 2, 3, 4, 5, 6, 7, 8"),
    ],
)
def test_a_function_of_a_file_that_fails_names_its_line(line: str, says: str, tmp_path: Path) -> None:
    """Also if it fails as our own files may: a broken pipe of somebody's engine is no closed output."""
    path = tmp_path / "bot.py"
    path.write_text(f"def choose(position):\n    {line}\n")
    bot = named_player(PlayerName.read(str(path)), ModelLoader("tictactoe"), 0, 1)
    with pytest.raises(GameError, match=rf"bot\.py, line 2: {says}$"):
        play_match("tictactoe", bot, RandomPlayer(), 1, 0)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            0,
            r"^bot chose 0 as player 2, which is not legal; legal are 1, 2, 3, 4, 5, 6, 7, 8, and -1 gives the game up$",
        ),
        (0.5, r"^bot chose 0\.5; an action is a whole number$"),
        (None, r"^bot chose None; an action is a whole number$"),
        (np.array([3]), r"^bot chose array\(\[3\]\); an action is a whole number$"),
        (np.array(2.0), r"^bot chose array\(2\.\); an action is a whole number$"),
    ],
)
def test_a_choice_that_is_not_legal_ends_the_match(chosen: object, message: str) -> None:
    """The message names the player, what it chose, and what is legal."""
    bot = FunctionPlayer(lambda position: chosen, "tictactoe", "bot")  # type: ignore[arg-type, return-value]
    lowest = FunctionPlayer(first_legal, "tictactoe", "lowest")
    with pytest.raises(GameError, match=message):
        play_match("tictactoe", lowest, bot, 1, 0)
