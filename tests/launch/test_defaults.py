"""What a loop goes by where nothing is given."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from waiting import PATIENCE

from trainer.core.errors import ConfigError, GameError
from trainer.games.recipes import recipe_of
from trainer.launch.defaults import defaults_for
from trainer.run.folder import RunFolder
from trainer.run.record import LOOP, write_record
from trainer.settings.loop import LoopConfig

OWN = Path(__file__).parent.parent / "support" / "own_games" / "myttt.py"


def test_a_new_run_goes_by_the_recipe(tmp_path: Path) -> None:
    """Also in the folder of another run, and if the run that is to be resumed isn't there yet."""
    recipe = recipe_of("hex:size=5")
    assert defaults_for("hex:size=5", tmp_path, True, "cpu").settings == recipe
    write_record(RunFolder(tmp_path).record, LOOP, LoopConfig(env_id="hex:size=5", data_dir=tmp_path, lr=0.5))
    start = defaults_for("hex:size=5", tmp_path, False, "cpu")
    assert start.settings == recipe
    config = start.replaced(steps=7, data_dir=tmp_path)
    assert (config.lr, config.steps, config.minutes) == (recipe.lr, 7, None)
    with pytest.raises(GameError):
        defaults_for("chess", tmp_path, False, "cpu")


def test_a_resumed_run_goes_by_its_own_settings(tmp_path: Path) -> None:
    """Its game needn't be named; without a run it must be."""
    with pytest.raises(
        ConfigError, match=r"there is no run in .* to resume, because it has no run\.json; give the --data-dir"
    ):
        defaults_for(None, tmp_path, True, "cpu")
    write_record(RunFolder(tmp_path).record, LOOP, LoopConfig(env_id="hex:size=5", data_dir=tmp_path, lr=0.5))
    for name in (None, "hex:size=5"):
        config = defaults_for(name, tmp_path, True, "cpu").replaced(steps=7)
        assert (config.env_id, config.lr, config.steps) == ("hex:size=5", 0.5, 7)


def test_a_game_of_ones_own_is_found_by_the_run_that_keeps_it(tmp_path: Path) -> None:
    """In a process that doesn't know the game, when the file that it began with is gone."""
    begin = f"""
from trainer.run.kept_rules import keep_rules
from trainer.run.record import write_record
keep_rules({str(OWN)!r}, run.path)
write_record(run.record, "loop", LoopConfig(env_id="myttt", data_dir=run.path))"""
    resume = """
from trainer.games import find_game
from trainer.launch.defaults import defaults_for
config = defaults_for(None, run.path, True, "cpu").replaced(steps=7)
print(config.env_id, find_game(config.env_id).path)"""
    common = f"""
from pathlib import Path
from trainer.run.folder import RunFolder
from trainer.settings.loop import LoopConfig
run = RunFolder(Path({str(tmp_path)!r}))"""
    for program in (begin, resume):
        words = [sys.executable, "-c", common + program]
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["myttt", str(tmp_path / "rules" / "myttt.py")]
