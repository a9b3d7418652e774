"""The command that draws and solves Connect 4 positions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainer.games.positions import Positions
from trainer.measure import connect4_positions
from trainer.measure.connect4_positions import careful_moves, make_positions


def test_careful_play_wins_then_blocks() -> None:
    """With three discs in columns 3 and 4, the mover wins in its own column. Without a win of its own, it blocks."""
    positions = Positions("connect4", 3)
    positions.replay(0, [3, 4, 3, 4, 3, 4])  # Red to move wins in 3
    positions.replay(1, [3, 4, 3, 4, 3])  # Yellow must block 3
    assert [np.flatnonzero(row).tolist() for row in careful_moves(positions)] == [[3], [3], list(range(7))]


def test_the_same_seed_makes_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small sets with one position of each kind are equal."""
    pytest.importorskip("bitbully")
    monkeypatch.setattr(connect4_positions, "GAMES_AT_ONCE", 16)
    texts = []
    for name in ("one.csv", "two.csv"):
        make_positions(1, 5, tmp_path / name)
        texts.append((tmp_path / name).read_text())
    assert texts[0] == texts[1]
    assert len([line for line in texts[0].splitlines() if not line.startswith("#")]) == 6


def test_the_command_refuses_a_file_that_it_could_not_write(
    tmp_path: Path, call_main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Before it draws and solves positions for minutes."""
    assert call_main("trainer.measure.make_positions", "--output", tmp_path) == 1
    assert f"--output {tmp_path} is a folder" in capsys.readouterr().err


def test_the_command_refuses_too_few_positions(
    call_main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The error comes before anything is drawn."""
    assert call_main("trainer.measure.make_positions", "--each", 0) == 1
    assert capsys.readouterr().err == "error: --each is 0; at least 1 is needed\n"
