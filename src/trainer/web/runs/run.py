"""One training run: its files, and the game they belong to."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from trainer.core.errors import ModelError
from trainer.core.json_values import is_number, number_fields
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.named_game import game_named_in
from trainer.games import is_available, known_games
from trainer.run.actor_stats import ActorTotals
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder
from trainer.run.model_files import read_model
from trainer.run.training_statistics import TrainingStats
from trainer.web.runs.json_file import FieldChecks, JsonFile, are_entries, are_points, is_text
from trainer.web.runs.replay_file import modified
from trainer.web.runs.replay_files import ReplayFiles

STATS_CHECKS: FieldChecks = dict.fromkeys((*number_fields(TrainingStats), "timestamp"), is_number) | {
    "env_id": is_text,
    "last_checkpoint": is_text,
    "history": are_points,
    "eval_history": are_entries,
}
ACTOR_STATS_CHECKS: FieldChecks = dict.fromkeys(number_fields(ActorTotals), is_number) | {"env_id": is_text}


class Run:
    """One training run. Any of its files may be missing."""

    def __init__(self, name: str, folder: RunFolder) -> None:
        self.name = name
        self.folder = folder
        self.model = folder.latest_model
        self.replay = ReplayFiles(folder)
        self.stats = JsonFile(folder.stats, STATS_CHECKS)
        self.actor_stats = JsonFile(folder.actor_stats, ACTOR_STATS_CHECKS)
        self._evaluations = EvaluationLog(folder.evaluations)
        self._reading = Lock()
        """Held while the evaluations are read; a log remembers how far it has read."""
        self._detected: tuple[tuple[float, float], str | None] = ((0.0, 0.0), None)
        """Change times of the model and of the databases, and the game they were found to belong to at that time."""

    @property
    def env_id(self) -> str | None:
        """The game of the run: as its statistics state it, else its folder's name, else what its other files show.

        None if none of them tells.
        """
        for file in (self.stats, self.actor_stats):
            content, _ = file.read()
            if content and isinstance(content.get("env_id"), str):
                return str(content["env_id"])
        if is_available(self.folder.path.name):
            return self.folder.path.name
        return self._detected_game()

    @property
    def changed(self) -> float:
        """When any of its files was last written, Unix seconds; 0 if it has none."""
        files = (self.stats.path, self.actor_stats.path, self.model)
        return max(self.replay.changed, *(modified(path) for path in files))

    def evaluations(self) -> list[dict[str, Any]]:
        """All its evaluations (stats.json may hold only some of them); none if they can't be read."""
        with self._reading, suppress(OSError):
            return self._evaluations.read()
        return []

    def _detected_game(self) -> str | None:
        """The game of the database's rows, else the game found at an earlier look, else the game of the model.

        So a model of another game that is put here later doesn't change the game of the run.
        """
        times = modified(self.model), self.replay.changed
        seen, env_id = self._detected
        if times != seen:
            env_id = self.replay.env_id() or env_id or game_of_model(self.model)
            self._detected = times, env_id
        return env_id


def is_run(folder: RunFolder) -> bool:
    """Whether a folder holds any file of a run."""
    paths = (folder.models, folder.stats, folder.actor_stats)
    found = any(os.path.exists(path) for path in paths)  # Path.exists raises if the folder can't be read
    return found or bool(folder.databases)


def game_of_model(path: Path) -> str | None:
    """The game that a model file fits, by its metadata and shapes; None if it fits none."""
    try:
        named = game_named_in(read_model(path))
    except ModelError:
        return None
    for env_id in [named] if named and is_available(named) else known_games():
        try:
            ModelLoader(env_id).load(path)
        except ModelError:
            continue
        return env_id
    return None
