"""The command: what it prints, its exit status, and that correct games pass."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planting import SOURCES, planted

from trainer.check import exact, report, statistics
from trainer.check.__main__ import main
from trainer.check.checks import against, symmetries
from trainer.check.checks.against import check_against
from trainer.check.checks.stored import check_stored
from trainer.check.subject import Subject
from trainer.core.errors import ConfigError, GameError
from trainer.games import game_of
from trainer.games.recipes import recipe_of
from trainer.search.cache import empty_cache
from trainer.search.tree import empty_tree
from trainer.settings.groups.self_play import SelfPlaySettings


@pytest.mark.parametrize("game", ["tictactoe", "connect4", "othello", str(SOURCES["pairs"]), str(SOURCES["kings"])])
def test_correct_games_pass(game: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0, all checks, and statistics."""
    assert main([game, "--games", "100"]) == 0
    printed = capsys.readouterr().out
    assert "FAILED" not in printed
    assert "warning" not in printed
    assert "skipped" not in printed
    assert printed.endswith("Nothing failed.\n")
    for name in ("plies", "legal moves", "results", "bytes per row", "actor's memory", "speed", "perft by plies"):
        assert f"\n{name}  " in printed


def test_a_broken_game_fails_with_moves_and_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1; what needs a working game is skipped."""
    path = planted(tmp_path, "tictactoe", ("    state[MOVER] = 3 - mover\n", "    state[MOVER] = 4 - mover\n"))
    assert main([path, "--games", "100"]) == 1
    printed = capsys.readouterr().out
    assert "FAILED   every position of random games is as promised" in printed
    assert "state[MOVER] is 3; it must be 1 or 2" in printed
    assert "           moves: " in printed
    assert "skipped  symmetries hold" in printed
    assert "Fix this first; the skipped checks need it." in printed


def test_rules_that_reach_out_of_bounds_are_not_run_without_bounds_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The statistics would be, and could end the process. Here a later check finds it; early ones skip them, too."""
    monkeypatch.setattr(report, "FOUNDATIONS", {})
    monkeypatch.setattr(report, "CHECKS", {"stored positions come back as they were": check_stored})
    change = ("state[STONES + int(board[cell]) - 1]", "state[STONES + int(board[cell]) + 1]")
    assert main([planted(tmp_path, "tictactoe", change), "--games", "20"]) == 1
    printed = capsys.readouterr().out
    assert "from_cells uses an index that is out of bounds" in printed
    assert "\nskipped  statistics, which run the rules without bounds checks\n" in printed
    assert "\nspeed " not in printed
    assert printed.endswith("1 check failed. Fix these before you train.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no game is given"),
        (["chess"], "no rules for a game named 'chess'"),
        (["tictactoe", "--games", "0"], "--games is 0"),
        (["tictactoe", "--depth", "0"], "--depth is 0"),
        (["tictactoe", "--seed", "-1"], "--seed is -1"),
    ],
)
def test_bad_settings_are_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what is needed."""
    assert main(arguments) == 1
    assert words in capsys.readouterr().err


LARGE = """
from trainer.games.base import MOVER, OPEN, WINNER, Game

GAME = Game(env_id="large", width=1, height=1, num_actions=70_000, max_moves=1, max_plies=1)


def moves(state, found):
    found[0] = 0
    return 1 if state[WINNER] == OPEN else 0


def play(state, action):
    state[WINNER] = state[MOVER]
"""


def test_a_game_that_can_not_be_stored_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else would be wrong with it, and `cartridge loop` would refuse it."""
    (tmp_path / "large.py").write_text(LARGE)
    assert main([str(tmp_path / "large.py")]) == 1
    assert "large has 70,000 actions and 70,004 numbers in an observation; up to 65,536" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (
            'RECIPE = {"minutes": 3}',
            "RECIPE in .*/recipe.py is {'minutes': 3}, of the type dict; set it to a LoopConfig",
        ),
        (
            "from trainer.settings.loop import LoopConfig\nRECIPE = LoopConfig",
            "is <class '.*LoopConfig'>, of the type type;",
        ),
        ("MINUTES = 3", "/recipe.py has no RECIPE; set it to a LoopConfig of trainer.settings.loop"),
    ],
)
def test_a_wrong_recipe_is_refused(recipe: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the loop, too, which asks for it in the same way."""
    (tmp_path / "rules.py").write_text(SOURCES["pairs"].read_text().replace('"pairs"', f'"{tmp_path.name}"'))
    (tmp_path / "recipe.py").write_text(recipe)
    assert main([str(tmp_path)]) == 1
    assert re.search(says, capsys.readouterr().err)
    with pytest.raises(GameError, match=says):
        recipe_of(str(tmp_path))


WIDE = (
    ("    state_words=4,\n", "    state_words=4,\n    features=40_000,\n"),
    (
        "\n\ndef has_line(",
        "\n\ndef features(state, out):\n    out[:] = 0\n    for cell in range(9):\n"
        "        out[cell] = (state[STONES] >> np.uint64(cell)) & ONE\n"
        "        out[9 + cell] = (state[STONES + 1] >> np.uint64(cell)) & ONE\n\n\ndef has_line(",
    ),
)
"""Tic-tac-toe that shows the network many zeros, too."""


def test_a_check_that_plays_fewer_games_says_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of all eight images of nine positions per game: 13 games have 40 million. Who asks for more gets more."""
    monkeypatch.setattr(report, "FOUNDATIONS", {})
    monkeypatch.setattr(report, "CHECKS", {"symmetries hold": report.CHECKS["symmetries hold"]})
    path = planted(tmp_path, "tictactoe", *WIDE)
    for games, shown in ((1_000, " (13 games, because each takes long)"), (10, "")):
        with closing(report.results(Subject(path, games))) as outcomes:
            assert [*report.printed(Subject(path, games), next(outcomes))] == [f"ok       symmetries hold{shown}"]
    assert [symmetries.games_played(Subject(path, games)) for games in (500, 1_000, 3_000)] == [13, 13, 41]
    assert [Subject(path, games).games_within(9_000, 10) for games in (1_000, 3_000)] == [100, 100]


def test_a_game_that_is_too_large_to_be_solved_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nobody would know that its signs weren't checked. Tic-tac-toe has more than nine positions."""
    monkeypatch.setattr(report, "FOUNDATIONS", {})
    monkeypatch.setattr(report, "CHECKS", {})
    monkeypatch.setattr(exact, "MOST_POSITIONS", 9)
    (result,) = report.results(Subject("tictactoe", 5))
    first, *more = report.printed(Subject("tictactoe"), result)
    assert first == "n/a      search proves what exhaustive play says"
    assert "If its size is a parameter, check a small one, too" in " ".join("".join(more).split())
    assert not result.failed


def test_a_game_that_openspiel_does_not_know_is_refused_before_the_first_check(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The checks take a while."""
    assert main(["tictactoe", "--against", "no_such_game"]) == 1
    printed = capsys.readouterr()
    assert "OpenSpiel can't load the game no_such_game" in printed.err
    assert printed.out == ""


def test_perft_counts_lines_by_plies_and_by_turns() -> None:
    """Pairs, by hand: 6 first moves; 1 of the 5 second ones completes the row and moves again, with 4 moves."""
    subject = Subject(str(SOURCES["pairs"]))
    linked = statistics.linked_lines(subject)
    assert statistics.perft(subject, linked, 3, False) == ([6, 30, 120], False)
    assert statistics.perft(subject, linked, 2, True) == ([6, 6 * 4 + 6 * 1 * 4], False)


@pytest.mark.parametrize("legal", [(4,), (0, 8), (1, 2, 7), tuple(range(9))])
def test_random_games_draw_each_legal_move_as_often(legal: tuple[int, ...]) -> None:
    """By 20,000 evenly spaced random numbers, whether it is found by drawing or by counting; never another move."""
    linked = statistics.linked_lines(Subject("tictactoe"))
    mask = np.zeros(9, np.bool_)
    mask[list(legal)] = True
    numbers = np.linspace(0, 2**31 - 1, 20_000).astype(np.uint64)
    drawn = np.bincount([linked.lines.drawn_from(mask, number) for number in numbers], minlength=9)
    assert drawn.sum() == drawn[mask].sum()
    assert drawn[mask] == pytest.approx(20_000 / len(legal), rel=0.05)


def test_random_games_end_where_no_move_is_legal() -> None:
    """Wrong rules must not make the statistics read beyond the mask."""
    linked = statistics.linked_lines(Subject("tictactoe"))
    assert linked.lines.drawn_from(np.zeros(9, np.bool_), np.uint64(12345)) == -1


def test_memory_is_that_of_the_arrays_that_an_actor_makes() -> None:
    """Predicted from one and two slots, it equals what many take."""
    game, settings = game_of("tictactoe"), SelfPlaySettings(games=8, simulations=50, cache=100)
    memory = statistics.actor_memory(game, settings)
    tree = empty_tree(game, 8, 50)
    assert memory.trees == sum(array.nbytes for array in tree)
    assert memory.cache == sum(array.nbytes for array in empty_cache(game, 100))
    assert statistics.actor_memory(game, SelfPlaySettings(threads=3)).total == 3 * statistics.actor_memory(game).total


def test_openspiel_agrees_and_disagrees(tmp_path: Path) -> None:
    """On tic-tac-toe it agrees; with the result turned round, or the actions, it doesn't; a table matches actions."""
    assert check_against(Subject("tictactoe", 20), "tic_tac_toe") == []
    turned = ("        state[WINNER] = mover\n", "        state[WINNER] = 3 - mover\n")
    (finding,) = check_against(Subject(planted(tmp_path, "tictactoe", turned, name="turned"), 20), "tic_tac_toe")
    assert "in OpenSpiel the first player gets" in finding.text
    assert finding.moves
    backwards = (
        ("STONES = FLAGS  #", "OPENSPIEL_ACTIONS = tuple(range(8, -1, -1))\nSTONES = FLAGS  #"),
        (
            "    state[STONES + mover - 1] |= ONE << np.uint64(action)",
            "    state[STONES + mover - 1] |= ONE << np.uint64(8 - action)",
        ),
        ("(occupied >> np.uint64(action))", "(occupied >> np.uint64(8 - action))"),
    )
    assert check_against(Subject(planted(tmp_path, "tictactoe", *backwards, name="back"), 20), "tic_tac_toe") == []
    with pytest.raises(GameError, match="OpenSpiel can't load the game no_such_game"):
        check_against(Subject("tictactoe"), "no_such_game")


class Turned:
    """A state or a game of OpenSpiel, as its chess is: player 1 begins, and player 0 sees the board from the other side."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __str__(self) -> str:
        return str(self.inner)

    def new_initial_state(self) -> Turned:
        return Turned(self.inner.new_initial_state())

    def current_player(self) -> int:
        return 1 - self.inner.current_player()

    def returns(self) -> list[float]:
        return self.inner.returns()[::-1]

    def legal_actions(self) -> list[int]:
        return sorted(map(self.numbered, self.inner.legal_actions()))

    def apply_action(self, action: int) -> None:
        self.inner.apply_action(self.numbered(action))

    def numbered(self, action: int) -> int:
        return action if self.current_player() == 1 else 8 - action


@pytest.mark.parametrize(("table", "agrees"), [("(tuple(range(9)), tuple(range(8, -1, -1)))", True), ("", False)])
def test_openspiel_may_number_the_players_and_their_moves_otherwise(
    table: str, agrees: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who begins is asked, and each player has a table of actions. Without the tables the second move differs."""
    game = Turned(against.openspiel_game("tic_tac_toe"))
    monkeypatch.setattr(against, "openspiel_game", lambda name: game)
    change = ("STONES = FLAGS  #", f"OPENSPIEL_ACTIONS = {table}\nSTONES = FLAGS  #" if table else "STONES = FLAGS  #")
    found = check_against(Subject(planted(tmp_path, "tictactoe", change), 20), "turned")
    assert ["The legal moves differ" in finding.text for finding in found] == [True] * (not agrees)


def test_what_openspiel_cannot_be_compared_by_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A game of three players, one with dice, one without turns, a table of another length, and no OpenSpiel at all."""
    with pytest.raises(GameError, match=r"^OpenSpiel's kuhn_poker\(players=3\) has 3 players; games here have two$"):
        check_against(Subject("tictactoe"), "kuhn_poker(players=3)")
    for name in ("backgammon", "oshi_zumo"):
        with pytest.raises(
            GameError, match=f"^OpenSpiel's {name} has chance, or players who move at the same time; games"
        ):
            check_against(Subject("tictactoe"), name)
    short = ("STONES = FLAGS  #", "OPENSPIEL_ACTIONS = tuple(range(8))\nSTONES = FLAGS  #")
    with pytest.raises(GameError, match=r"^OPENSPIEL_ACTIONS has 8 entries; tictactoe_short has 9 actions$"):
        check_against(Subject(planted(tmp_path, "tictactoe", short, name="short")), "tic_tac_toe")
    for number, wrong in enumerate(("5", "((0, 1), 2)", "'abc'")):
        change = ("STONES = FLAGS  #", f"OPENSPIEL_ACTIONS = {wrong}\nSTONES = FLAGS  #")
        with pytest.raises(
            GameError, match=r"^OPENSPIEL_ACTIONS in .* is .*; set it to a tuple with a number for each"
        ):
            check_against(Subject(planted(tmp_path, "tictactoe", change, name=f"wrong{number}")), "tic_tac_toe")
    monkeypatch.setitem(sys.modules, "pyspiel", None)
    with pytest.raises(ConfigError, match=r"^--against needs OpenSpiel, which is not installed; install it with: pip"):
        check_against(Subject("tictactoe"), "tic_tac_toe")
