"""A run plays by its own copy of the rules, and nothing is played by others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from random_models import publish_model

import trainer.games.library
from trainer.core.errors import GameError, ModelError
from trainer.evaluators.onnx_file import load_model
from trainer.game_config import load_game_config
from trainer.games import find_game
from trainer.replay import ReplayWriter
from trainer.run.kept_rules import keep_rules, kept_game

OWN = Path(__file__).parent.parent / "support" / "own_games" / "myttt.py"


def forget_games() -> None:
    """Forget the games that were named, as a new process has."""
    trainer.games.library._named.clear()
    trainer.games.library._games.clear()


@pytest.fixture(autouse=True)
def new_process() -> None:
    """Each test begins without games."""
    forget_games()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A file of somebody's rules."""
    return Path(shutil.copy(OWN, tmp_path / "mine.py"))


def edit(rules: Path) -> None:
    """Change what wins, as a new process would see it."""
    rules.write_text(rules.read_text().replace("max(row, column, diagonal, other)", "max(row, column)"))
    forget_games()


def test_a_run_keeps_a_copy_and_its_name_finds_it(rules: Path, tmp_path: Path) -> None:
    """With the parameters. An edit of the original changes nothing in it."""
    run = tmp_path / "run"
    name = keep_rules(f"{rules}:size=4", run)
    assert name == f"{run}/rules/mine.py:size=4"
    edit(rules)
    assert find_game(name).path.read_bytes() == OWN.read_bytes()
    kept = kept_game(run, "myttt:size=4")
    assert kept is not None
    assert kept.game.env_id == "myttt:size=4"


def test_a_game_of_the_package_needs_no_copy(tmp_path: Path) -> None:
    """It is found by its name everywhere."""
    assert keep_rules("connect4", tmp_path) == "connect4"
    assert kept_game(tmp_path, "connect4") is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_kept_with_its_other_files(rules: Path, tmp_path: Path) -> None:
    """The recipe and the scored positions belong to the rules."""
    folder = tmp_path / "game"
    folder.mkdir()
    rules.rename(folder / "rules.py")
    (folder / "recipe.py").write_text("RECIPE = None")
    assert keep_rules(str(folder), tmp_path / "run") == f"{tmp_path}/run/rules/rules.py"
    assert (tmp_path / "run" / "rules" / "recipe.py").exists()


def test_a_resume_refuses_other_rules_and_goes_on_by_the_old_ones(rules: Path, tmp_path: Path) -> None:
    """The message names both files. A new run takes the new rules."""
    run = tmp_path / "run"
    copy = keep_rules(str(rules), run)
    edit(rules)
    with pytest.raises(
        GameError, match=r"the rules of myttt have changed since the run in .* began: .*mine\.py differs"
    ):
        keep_rules(str(rules), run, resume=True)
    forget_games()
    assert keep_rules(copy, run, resume=True) == copy
    forget_games()
    assert keep_rules(str(rules), run) == copy
    assert Path(copy).read_bytes() == rules.read_bytes()


def test_rows_of_other_rules_are_refused(rules: Path, tmp_path: Path) -> None:
    """By whoever would add rows to them or learn from them."""
    database = tmp_path / "replay.db"
    game = load_game_config(str(rules), database)
    ReplayWriter(database, game.metadata, layout=game.stored_layout).close()
    assert load_game_config(str(rules), database).stamp == game.stamp
    edit(rules)
    with pytest.raises(
        GameError, match=r"the games in .*replay\.db were played by other rules of myttt: their hash is"
    ):
        load_game_config(str(rules), database)


def test_a_model_of_other_rules_is_refused(rules: Path, tmp_path: Path) -> None:
    """It would play, but not the game that it learned."""
    game = find_game(str(rules))
    publish_model(tmp_path, str(rules))
    path = tmp_path / "models" / "latest.onnx"
    load_model(path, "myttt", game.game.obs_size, game.game.num_actions)
    edit(rules)
    find_game(str(rules))
    with pytest.raises(ModelError, match="was trained by other rules of myttt: their hash was"):
        load_model(path, "myttt", game.game.obs_size, game.game.num_actions)
