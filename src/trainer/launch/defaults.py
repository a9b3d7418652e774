"""The settings of a loop that aren't given: those of the game's recipe, or of the run that is resumed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.core.errors import ConfigError
from trainer.games import game_of, with_env_id
from trainer.games.recipes import changed, continued, recipe_of
from trainer.gpu.choice import means_gpu
from trainer.run.folder import RunFolder
from trainer.run.kept_rules import kept_game
from trainer.run.record import LOOP, recorded_settings
from trainer.settings.loop import LoopConfig


@dataclass(frozen=True)
class Defaults:
    """The settings that the user leaves out: those of the recipe, or of the run that is resumed."""

    settings: LoopConfig
    of_run: bool
    """Whether they are those of a run."""

    def replaced(self, **given: Any) -> LoopConfig:
        """The settings with those that are given in place of their own; the game is named by its env_id."""
        return with_env_id(continued(self.settings, **given) if self.of_run else changed(self.settings, **given))


def defaults_for(env_id: str | None, folder: Path | None, resume: bool, device: str) -> Defaults:
    """The defaults for a game, a folder and a device as they are given; `env_id` None: the run says which game is resumed.

    A run that is to be resumed begins by the recipe if there is none yet. Without an `env_id` that is a ConfigError, because
    the name of the folder may be wrong. Raises GameError for an unknown game.
    """
    game = game_of(env_id or LoopConfig.env_id).env_id
    if resume:
        run = RunFolder(LoopConfig(env_id=game, data_dir=folder).folder)
        recorded = recorded_settings(run.record, LOOP, LoopConfig)
        if not env_id:
            if recorded is None:
                raise ConfigError(
                    f"there is no run in {run.path} to resume, because it has no run.json; give the --data-dir of the run, "
                    f"or begin one there by naming its game with --env-id"
                )
            kept_game(run.path, recorded.env_id)  # from now on this process knows the game
        if recorded:
            return Defaults(recorded, of_run=True)
    return Defaults(recipe_of(game, means_gpu(device)), of_run=False)
