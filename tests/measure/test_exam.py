"""The exam positions: what the stored set is said to be, it is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from trainer.core.errors import ConfigError, GameError
from trainer.games import game_of
from trainer.games.base import MOVER, OPEN
from trainer.games.positions import Positions
from trainer.games.solver import NOT_LEGAL, solver_of
from trainer.measure import make_positions
from trainer.measure.exam import KINDS, Scored, exam_of, kind_of, read_scored, write_scored
from trainer.measure.make_positions import MakeConfig, careful_moves, make
from trainer.measure.quality import examine
from trainer.players import RandomPlayer

LINES = read_scored()


def test_there_are_a_thousand_of_each_kind() -> None:
    """Six kinds of 1,000."""
    assert Counter(line.kind for line in LINES) == dict.fromkeys(KINDS, 1000)


def test_all_are_unfinished_and_their_legal_moves_are_scored() -> None:
    """Each position can be reached by its moves, goes on, and has a score for exactly the moves that are legal."""
    exam = exam_of("connect4")
    assert (exam.positions.winner == OPEN).all()
    assert ((exam.scores != NOT_LEGAL) == exam.positions.legal()).all()
    plies = np.array([len(line.moves) for line in LINES])
    assert (exam.positions.states[:, MOVER] == 1 + plies % 2).all()


def test_none_is_another_or_another_mirrored() -> None:
    """6,000 different positions, also when mirror images count as one."""
    mirror = list(game_of("connect4").symmetries[1].cells)
    cells = exam_of("connect4").positions.stored()[:, :42]
    assert len({min(board.tobytes(), board[mirror].tobytes()) for board in cells}) == 6000


def test_in_each_some_move_is_wrong() -> None:
    """The moves of a position don't all have the same score."""
    scores = exam_of("connect4").scores
    lowest = np.where(scores == NOT_LEGAL, 127, scores).min(axis=1)
    assert (scores.max(axis=1) > lowest).all()


def test_kinds_are_what_they_say() -> None:
    """A phase by the plies played, a difficulty by those left, both with their upper bounds inside."""
    assert [kind_of(14, left) for left in (14, 15, 28, 29)] == [
        "begin-easy",
        "begin-medium",
        "begin-medium",
        "begin-hard",
    ]
    assert [kind_of(plies, 10) for plies in (15, 28, 29)] == ["middle-easy", "middle-easy", "end-easy"]


def test_a_sample_solved_afresh_has_the_stored_scores_and_plays_out_in_the_stored_time() -> None:
    """20 of each kind solved again; of each kind 3 played to the end by best moves, counting the plies."""
    pytest.importorskip("bitbully")
    generator, solver, exam = np.random.default_rng(0), solver_of("connect4"), exam_of("connect4")
    for number, kind in enumerate(KINDS):
        rows = generator.choice(np.flatnonzero(exam.kind == number), 20, replace=False)
        states = exam.positions.states[rows]
        assert (solver.scores(exam.positions.of(states)) == exam.scores[rows]).all()
        for row in rows[:3]:
            played = len(LINES[row].moves)
            positions = exam.positions.of(exam.positions.states[row : row + 1].copy())
            left = 0
            while positions.winner[0] == OPEN:
                positions.play(np.array([0]), solver.scores(positions).argmax(axis=1))
                left += 1
            assert kind_of(played, left) == kind, LINES[row].moves


def test_a_file_reads_as_it_was_written() -> None:
    """Moves, scores and full columns come back."""
    line = Scored("end-easy", "000000", (NOT_LEGAL, -3, 0, 12, 0, -1, -1))
    assert write_scored(["made"], [line]) == "# made\nend-easy,000000,. -3 0 12 0 -1 -1\n"


def test_tictactoe_is_examined_on_everything() -> None:
    """4,520 positions of one kind."""
    exam = exam_of("tictactoe")
    assert (len(exam.kind), exam.kinds) == (4520, ("all",))


def test_every_tenth_position_keeps_the_kinds_equal() -> None:
    """A quick look asks 100 of each kind."""
    quick = exam_of("connect4").every(10)
    assert np.bincount(quick.kind).tolist() == [100] * 6


def test_a_game_without_a_solver_has_no_exam() -> None:
    """Othello says which games can be examined."""
    with pytest.raises(GameError, match="can't be measured in othello"):
        exam_of("othello")


def test_another_set_is_read_from_a_file(tmp_path: Path) -> None:
    """Two lines of the stored set, with a comment before them, are an exam of two positions, and of their kinds alone."""
    file = tmp_path / "set.csv"
    file.write_text(write_scored(["two of them"], [LINES[0], LINES[3000]]))
    exam = exam_of("connect4", file)
    assert exam.kind.tolist() == [0, 3]
    assert [tuple(scores) for scores in exam.scores.tolist()] == [LINES[0].scores, LINES[3000].scores]
    quality = examine(exam, RandomPlayer())
    assert list(quality.kinds) == [KINDS[0], KINDS[3]]
    assert quality.as_json()["positions"] == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("end-easy,0123", "line 1 of .*set.csv isn't a kind, the columns played and seven scores"),
        ("hard,0123,0 0 0 0 0 0 0", "line 1 of .*set.csv isn't a kind"),
        ("begin-hard,0173,0 0 0 0 0 0 0", "line 1 of .*set.csv isn't a kind"),
        ("begin-hard,0123,0 0 0 0 0 0", "line 1 of .*set.csv isn't a kind"),
        ("begin-hard,0123,0 0 0 0 0 0 best", "line 1 of .*set.csv isn't a kind"),
        ("begin-hard,0123,0 0 0 0 0 0 300", "line 1 of .*set.csv isn't a kind"),
        ("begin-hard,0101010,. . . . . . .", "set.csv has no positions, or finished ones"),
        ("# nothing", "set.csv has no positions, or finished ones"),
        ("begin-hard,0000000,0 0 0 0 0 0 0", "the moves 0000000 can't be played from the first position"),
        ("begin-hard,0123,0 0 0 0 0 0 .", "set.csv has scores for other moves than those that are legal"),
    ],
)
def test_a_file_that_is_no_set_is_refused(tmp_path: Path, line: str, message: str) -> None:
    """In one sentence, which says where."""
    file = tmp_path / "set.csv"
    file.write_text(line + "\n")
    with pytest.raises(ConfigError, match=message):
        exam_of("connect4", file)


def test_a_set_that_is_not_there_is_reported(tmp_path: Path) -> None:
    """With what would make one."""
    with pytest.raises(ConfigError, match=r"can't be read \(No such file.*make_positions --output FILE"):
        exam_of("connect4", tmp_path / "none.csv")


def test_careful_play_wins_then_blocks() -> None:
    """Three in column 3 against three in column 4: the mover wins in its own, and blocks where it has no win."""
    positions = Positions("connect4", 3)
    positions.replay(0, [3, 4, 3, 4, 3, 4])  # Red to move wins in 3
    positions.replay(1, [3, 4, 3, 4, 3])  # Yellow must block 3
    assert [np.flatnonzero(row).tolist() for row in careful_moves(positions)] == [[3], [3], list(range(7))]


def test_the_command_makes_such_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small set, the same for the same seed."""
    pytest.importorskip("bitbully")
    monkeypatch.setattr(make_positions, "GAMES_AT_ONCE", 16)
    texts = []
    for name in ("one.csv", "two.csv"):
        assert make(MakeConfig(output=tmp_path / name, each=1, seed=5)) == 0
        texts.append((tmp_path / name).read_text())
    assert texts[0] == texts[1]
    assert len([line for line in texts[0].splitlines() if not line.startswith("#")]) == 6
