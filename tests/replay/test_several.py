"""Several databases are sampled as if they were one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import CloseLater, ForeignDatabase, add_random_play
from episodes import TICTACTOE, episode

from trainer.core.errors import GameError
from trainer.game_config import load_game_config
from trainer.replay import ReplayBuffer, ReplayWriter


def database(path: Path, count: int, skipped: int = 0) -> Path:
    """A database with `count` rows of one sequence of random play, after the first `skipped` ones."""
    made = ForeignDatabase(path)
    add_random_play(made, skipped + count)
    made.connection.execute("DELETE FROM transitions WHERE rowid <= ?", (skipped,))
    made.connection.commit()
    made.close()
    return path


@pytest.mark.parametrize("merge_repeats", [False, True])
def test_databases_with_the_rows_of_one_are_sampled_like_it(
    tmp_path: Path, close_later: CloseLater, merge_repeats: bool
) -> None:
    """The first 120 of 200 rows in one file, the rest in another: the same rows by the same symmetries, bit for bit."""
    one = database(tmp_path / "one.db", 200)
    parts = [database(tmp_path / "a.db", 120), database(tmp_path / "b.db", 80, 120)]
    symmetries = load_game_config("tictactoe", one).symmetry_tables
    whole, split = (
        close_later(ReplayBuffer(paths, TICTACTOE, symmetries, merge_repeats=merge_repeats)) for paths in (one, parts)
    )
    assert whole.refresh() == split.refresh() == len(whole) == len(split) == split.seen == 200
    batches = [buffer.sample(np.random.default_rng(5), 300, q_weight=0.5) for buffer in (whole, split)]
    for name in ("observation", "legal", "policy_target", "value_target"):
        first, second = (getattr(batch, name) for batch in batches)
        assert first.tobytes() == second.tobytes()


def test_fractions_in_one_database_leave_the_bits_of_another(tmp_path: Path, close_later: CloseLater) -> None:
    """Each comes back as it was stored."""
    fractions = np.array([0.25] * 18 + [1] * 9 + [1, 0], np.float32)
    for name, changed in (("a.db", {}), ("b.db", {"observation": fractions.tobytes(), "outcome": -1.0})):
        made = close_later(ForeignDatabase(tmp_path / name))
        made.add_tictactoe(10, **changed)
    replay = close_later(ReplayBuffer([tmp_path / "a.db", tmp_path / "b.db"], TICTACTOE))
    replay.refresh()
    batch = replay.sample(np.random.default_rng(0), 50)
    assert (batch.observation[batch.value_target == -1] == fractions).all()
    assert set(np.unique(batch.observation[batch.value_target == 1])) == {0, 1}


def test_each_database_is_followed_by_itself(tmp_path: Path, close_later: CloseLater) -> None:
    """One isn't there yet, one drops its oldest games, one is deleted: the rows of the others don't change."""
    paths = [tmp_path / f"{name}.db" for name in "abc"]
    window = close_later(ReplayWriter(paths[0], TICTACTOE, window=4))
    close_later(ReplayWriter(paths[1], TICTACTOE)).write([episode("b-0")])
    replay = close_later(ReplayBuffer(paths, TICTACTOE))
    assert (replay.refresh(), len(replay)) == (2, 2)
    for number in range(4):
        window.write([episode(f"a-{number}")])
        replay.refresh()
    assert (len(replay), replay.seen) == (6, 10)
    close_later(ReplayWriter(paths[2], TICTACTOE)).write([episode("c-0", 3)])
    assert (replay.refresh(), len(replay)) == (3, 9)
    paths[1].unlink()
    replay.refresh()
    assert len(replay) == 9


def test_databases_of_different_games_are_refused(tmp_path: Path, close_later: CloseLater) -> None:
    """Those that don't exist yet say nothing."""
    for name, width in (("a", 3), ("b", 3), ("c", 4)):
        made = close_later(ForeignDatabase(tmp_path / f"{name}.db", "mystery"))
        made.metadata(width=width, height=3, actions=9, obs_size=29, offset=18)
    a, b, c, none = (tmp_path / f"{name}.db" for name in ("a", "b", "c", "none"))
    assert load_game_config("mystery", none, a, b).metadata.board_width == 3
    with pytest.raises(GameError, match=r"a\.db and .*c\.db state other dimensions for mystery"):
        load_game_config("mystery", a, b, c)
    assert load_game_config("tictactoe", none, none).metadata == TICTACTOE
