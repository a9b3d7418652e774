"""Scored positions: the stored set of Connect 4 is what its documentation says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from registering import game_with

from trainer.core.errors import ConfigError, GameError
from trainer.games import game_of
from trainer.games.base import MOVER, OPEN
from trainer.games.connect4 import rules
from trainer.games.connect4.scored_positions import KINDS, ScoredLine, file_text, kind_of, read_lines
from trainer.games.solving import scored_positions
from trainer.games.solving.exhaustive import ExhaustiveSolver
from trainer.games.solving.scored_positions import has_scored_positions, scored_positions_of
from trainer.games.solving.solver import NOT_LEGAL
from trainer.games.solving.solvers import solver_of
from trainer.measure.move_quality import measure_move_quality
from trainer.players import RandomPlayer

LINES = read_lines()


def test_there_are_a_thousand_of_each_kind() -> None:
    """Six kinds of 1,000."""
    assert Counter(line.kind for line in LINES) == dict.fromkeys(KINDS, 1000)


def test_all_are_unfinished_and_exactly_their_legal_moves_are_scored() -> None:
    """Each position is reached by its moves and is not finished. The legal moves have scores, the others don't."""
    scored = scored_positions_of("connect4")
    assert (scored.positions.winner == OPEN).all()
    assert ((scored.scores != NOT_LEGAL) == scored.positions.legal()).all()
    plies = np.array([len(line.moves) for line in LINES])
    assert (scored.positions.states[:, MOVER] == 1 + plies % 2).all()


def test_no_position_repeats_even_mirrored() -> None:
    """There are 6,000 different positions, also if mirror images count as one."""
    mirror = list(game_of("connect4").symmetries[1].cells)
    cells = scored_positions_of("connect4").positions.stored()[:, :42]
    assert len({min(board.tobytes(), board[mirror].tobytes()) for board in cells}) == 6000


def test_every_position_has_a_wrong_move() -> None:
    """The moves of a position don't all have the same score."""
    scores = scored_positions_of("connect4").scores
    lowest = np.where(scores == NOT_LEGAL, 127, scores).min(axis=1)
    assert (scores.max(axis=1) > lowest).all()


def test_kinds_include_their_upper_bounds() -> None:
    """The phase follows from the plies played, the difficulty from the plies left."""
    difficulties = ["begin-easy", "begin-medium", "begin-medium", "begin-hard"]
    assert [kind_of(14, left) for left in (14, 15, 28, 29)] == difficulties
    assert [kind_of(plies, 10) for plies in (15, 28, 29)] == ["middle-easy", "middle-easy", "end-easy"]


def test_a_solver_confirms_the_stored_scores_and_kinds() -> None:
    """20 positions of each kind are solved again. 3 of each kind are played to the end, to count the plies left."""
    pytest.importorskip("bitbully")
    generator, solver, scored = np.random.default_rng(0), solver_of("connect4"), scored_positions_of("connect4")
    for number, kind in enumerate(KINDS):
        rows = generator.choice(np.flatnonzero(scored.kind == number), 20, replace=False)
        states = scored.positions.states[rows]
        assert (solver.scores(scored.positions.of(states)) == scored.scores[rows]).all()
        for row in rows[:3]:
            played = len(LINES[row].moves)
            positions = scored.positions.of(scored.positions.states[row : row + 1])
            left = 0
            while positions.winner[0] == OPEN:
                positions.play(np.array([0]), solver.scores(positions).argmax(axis=1))
                left += 1
            assert kind_of(played, left) == kind, LINES[row].moves


def test_a_file_keeps_moves_scores_and_full_columns() -> None:
    """The text of a line has a dot for the full column."""
    line = ScoredLine("end-easy", "000000", (NOT_LEGAL, -3, 0, 12, 0, -1, -1))
    assert file_text(["made"], [line]) == "# made\nend-easy,000000,. -3 0 12 0 -1 -1\n"


def test_tictactoe_has_all_unfinished_positions() -> None:
    """4,520 positions of one kind."""
    scored = scored_positions_of("tictactoe")
    assert (len(scored), scored.kinds) == (4520, ("all",))


def test_any_small_game_has_scored_positions() -> None:
    """All of them, or a sample of 5,000; Hex 3x3 has 4,520 unfinished positions, dots and boxes 2x2 has more."""
    assert has_scored_positions("hex:size=3")
    assert len(scored_positions_of("hex:size=3")) == 4520
    scored = scored_positions_of("dots:columns=2,rows=2")
    assert scored.kinds[0].startswith("sample of ")
    assert (len(scored), len(np.unique(scored.positions.states, axis=0))) == (5000, 5000)
    assert ((scored.scores != NOT_LEGAL) == scored.positions.legal()).all()


def test_every_tenth_position_keeps_the_kinds_equal() -> None:
    """A quick measurement takes 100 of each kind."""
    scored = scored_positions_of("connect4")
    assert scored.quick_stride == 10
    assert np.bincount(scored.every(10).kind).tolist() == [100] * 6


def test_a_large_game_without_scored_positions_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error names the games that have some, and the bound."""
    path = tmp_path / "rules.py"
    path.write_text((Path(str(rules.__file__))).read_text().replace('"connect4"', '"four"'))
    assert not has_scored_positions(str(path))
    monkeypatch.setattr(scored_positions, "exhaustive_solver", lambda env_id: ExhaustiveSolver(env_id, 2000))
    expected = r"can't be counted in .*: it has no scored .*connect4.*, and .* there are more than 2,000"
    with pytest.raises(GameError, match=expected):
        scored_positions_of(str(path))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("", r"scored_positions\.py has no scored_positions; define scored_positions\(file\)"),
        (
            "def scored_positions(file):\n    return [file]",
            r"scored_positions\(\) in .*\.py returned \[None\], of the type list; it must return a .*ScoredPositions",
        ),
        ("def scored_positions(file):\n    return file.name", r"scored_positions\.py, line 2: AttributeError: "),
    ],
)
def test_wrong_scored_positions_get_one_sentence(part: str, message: str, tmp_path: Path) -> None:
    """It names the file, and the line if it fails."""
    with pytest.raises(GameError, match=message):
        scored_positions_of(game_with("scored_positions.py", part, tmp_path))


def test_tictactoe_refuses_a_file(tmp_path: Path) -> None:
    """It has no further positions that a file could hold."""
    with pytest.raises(
        ConfigError, match=r"tictactoe is measured on positions that are solved on the spot, not on those of .*set\.csv"
    ):
        scored_positions_of("tictactoe", tmp_path / "set.csv")


def test_another_file_can_be_read(tmp_path: Path) -> None:
    """A comment and two lines of the stored set give two positions. Kinds that don't occur are left out of the result."""
    file = tmp_path / "set.csv"
    file.write_text(file_text(["two of them"], [LINES[0], LINES[3000]]))
    scored = scored_positions_of("connect4", file)
    assert scored.kind.tolist() == [0, 3]
    assert [tuple(scores) for scores in scored.scores.tolist()] == [LINES[0].scores, LINES[3000].scores]
    quality = measure_move_quality(scored, RandomPlayer())
    assert list(quality.kinds) == [KINDS[0], KINDS[3]]
    assert quality.as_json()["positions"] == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "end-easy,0123",
            "line 1 of .*set.csv should be a kind, the columns played and seven scores, but is 'end-easy,",
        ),
        ("hard,0123,0 0 0 0 0 0 0", "line 1 of .*set.csv should be a kind"),
        ("begin-hard,0173,0 0 0 0 0 0 0", "line 1 of .*set.csv should be a kind"),
        ("begin-hard,0123,0 0 0 0 0 0", "line 1 of .*set.csv should be a kind"),
        ("begin-hard,0123,0 0 0 0 0 0 best", "line 1 of .*set.csv should be a kind"),
        ("begin-hard,0123,0 0 0 0 0 0 300", "line 1 of .*set.csv should be a kind"),
        ("begin-hard,0101010,. . . . . . .", "set.csv holds no positions, or finished ones"),
        ("# nothing", "set.csv holds no positions, or finished ones"),
        ("begin-hard,0000000,0 0 0 0 0 0 0", "the moves 0000000 can't be played from the first position"),
        ("begin-hard,0123,0 0 0 0 0 0 .", "set.csv scores illegal moves, or lacks the scores of legal ones"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, line: str, message: str) -> None:
    """The error says what is wrong and where."""
    file = tmp_path / "set.csv"
    file.write_text(line + "\n")
    with pytest.raises(ConfigError, match=message):
        scored_positions_of("connect4", file)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    """The error names the command that makes such a file."""
    with pytest.raises(ConfigError, match=r"can't be read \(No such file.*make_positions --output FILE"):
        scored_positions_of("connect4", tmp_path / "none.csv")
