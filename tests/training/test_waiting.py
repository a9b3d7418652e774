"""The wait for the database of a game whose rules are not known here."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from conftest import CENTRE, EMPTY_BOARD, CloseLater, ForeignDatabase
from run_files import trainer_config
from torture.faults import running
from waiting import wait_until

from trainer.core.errors import GameError, ReplayError, WaitTimeoutError
from trainer.trainer import train


def test_a_game_without_rules_waits_for_its_database(
    tmp_path: Path, close_later: CloseLater, caplog: pytest.LogCaptureFixture
) -> None:
    """Until another program has made the file, created its tables, stated the game, and stored rows."""
    caplog.set_level(logging.INFO)
    path = tmp_path / "replay.db"
    config = trainer_config(tmp_path, env_id="chess", steps=2, max_wait=0.0, wait_interval=0.01)

    def waits(for_what: str) -> bool:
        return f"waiting for 64 rows: {for_what}" in caplog.messages

    with running(lambda stop: train(config, stop)) as results:
        unknown = "the game 'chess' has no rules here, and "
        wait_until(lambda: waits(f"{unknown}no {path} yet"), "it doesn't wait for the file", results)
        path.touch()
        wait_until(lambda: waits(f"{unknown}0 rows in {path}"), "it doesn't wait for the tables", results)
        database = close_later(ForeignDatabase(path, "chess"))
        caplog.clear()
        database.metadata(width=3, height=3, actions=9, obs_size=29, offset=18)
        wait_until(lambda: waits(f"0 rows of chess in {path}"), "it doesn't wait for rows", results)
        for _ in range(64):
            database.add(EMPTY_BOARD, CENTRE, 1.0)
        database.connection.commit()
        wait_until(lambda: results, "it doesn't train")
    assert results == [0]
    assert (tmp_path / "models" / "model_step_000002.onnx").exists()


@pytest.mark.parametrize(("there", "found"), [(False, "no {} yet"), (True, "0 rows in {}")])
def test_the_wait_for_a_game_ends(tmp_path: Path, there: bool, found: str) -> None:
    """By --max-wait, with the same error as that for rows, or because training is to stop. Nothing is written then."""
    path = tmp_path / "replay.db"
    if there:
        path.touch()
    config = trainer_config(tmp_path, env_id="chess", max_wait=0.1, wait_interval=0.01)
    with running(lambda stop: train(config, stop)) as results:
        wait_until(lambda: results, "it waits for ever")
    (error,) = results
    assert isinstance(error, WaitTimeoutError)
    waited_for = f"the game 'chess' has no rules here, and {found.format(path)}"
    assert str(error).startswith(f"{waited_for} after 0.1 s, a batch needs 64; is an actor running?")
    with running(lambda stop: train(trainer_config(tmp_path, env_id="chess", max_wait=0.0), stop)) as results:
        pass
    assert results == [130]
    assert list((tmp_path / "models").glob("*.onnx")) == []
    assert not (tmp_path / "stats.json").exists()


def test_there_is_no_wait_for_a_database_that_can_not_state_the_game(tmp_path: Path, close_later: CloseLater) -> None:
    """Here --max-wait is without limit, and each is an error at once: no database, and one with rows but no metadata."""
    config = trainer_config(tmp_path, env_id="chess", max_wait=0.0)
    (tmp_path / "replay.db").write_text("this is a letter, not a database. " * 40)
    for expected, message in ((ReplayError, "is not a database"), (GameError, "'chess' has neither rules here nor")):
        with running(lambda stop: train(config, stop)) as results:
            wait_until(lambda: results, "it waits")
        (error,) = results
        assert isinstance(error, expected)
        assert message in str(error)
        (tmp_path / "replay.db").unlink()
        database = close_later(ForeignDatabase(tmp_path / "replay.db", "chess"))
        database.add(EMPTY_BOARD, CENTRE, 1.0)
        database.connection.commit()


def test_an_empty_file_beside_a_database_is_not_there_yet(tmp_path: Path, close_later: CloseLater) -> None:
    """Of several databases the others state the game."""
    (tmp_path / "a.db").touch()
    database = close_later(ForeignDatabase(tmp_path / "b.db", "chess"))
    database.metadata(width=3, height=3, actions=9, obs_size=29, offset=18)
    for _ in range(64):
        database.add(EMPTY_BOARD, CENTRE, 1.0)
    database.connection.commit()
    databases = (tmp_path / "a.db", tmp_path / "b.db")
    with running(lambda stop: train(trainer_config(tmp_path, db=databases, env_id="chess", steps=1), stop)) as results:
        wait_until(lambda: results, "it doesn't train")
    assert results == [0]
