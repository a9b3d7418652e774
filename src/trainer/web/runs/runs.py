"""The runs under one folder: `data` itself where it holds a run, and each folder in it that does."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from trainer.core.errors import ModelError, ReplayError
from trainer.core.json_values import is_number, number_fields
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.onnx_file import load_model
from trainer.games import ENV_IDS, game_of
from trainer.replay import columns_of, open_for_reading, reporting
from trainer.run.actor_statistics import ACTOR_STATS_FILE, sum_of_actors
from trainer.run.evaluations import EvaluationLog
from trainer.run.model_files import LATEST
from trainer.run.training_statistics import TrainingStats
from trainer.web.http.errors import refusal
from trainer.web.runs.jsonfile import JsonFile, are_entries, are_points, is_text

HERE = "."
"""Name of the run that is the data folder itself."""
MOST_RUNS = 500
LOOK_EVERY = 1.0
STATS = dict.fromkeys((*number_fields(TrainingStats), "timestamp"), is_number) | {
    **dict.fromkeys(("env_id", "last_checkpoint"), is_text),
    **{"history": are_points, "eval_history": are_entries},
}
ACTOR_STATS = dict.fromkeys(sum_of_actors("", []), is_number) | {"env_id": is_text}


@dataclass(frozen=True)
class Run:
    """One run: its files, any of which may be missing."""

    name: str
    folder: Path

    @property
    def model(self) -> Path:
        """The newest model."""
        return self.folder / "models" / LATEST

    @property
    def replay(self) -> Path:
        """The stored games."""
        return self.folder / "replay.db"

    @cached_property
    def stats(self) -> JsonFile:
        """What the trainer measured."""
        return JsonFile(self.folder / "stats.json", STATS)

    @cached_property
    def actor_stats(self) -> JsonFile:
        """What the actors measured."""
        return JsonFile(self.folder / ACTOR_STATS_FILE, ACTOR_STATS)

    def evaluations(self) -> list[dict[str, Any]]:
        """All its evaluations, of which stats.json may hold a part; none where they can't be read."""
        with suppress(OSError):
            return EvaluationLog(self.folder).read()
        return []

    @property
    def changed(self) -> float:
        """When any of its files was last written, Unix seconds; 0 where there is none."""
        return max(modified(path) for path in (self.stats.path, self.actor_stats.path, self.model, self.replay))

    @property
    def env_id(self) -> str | None:
        """The game of the run, by what its files say or its folder's name; None where none of them tells."""
        for file in (self.stats, self.actor_stats):
            content, _, _ = file.read()
            if content and isinstance(content.get("env_id"), str):
                return str(content["env_id"])
        if self.folder.name in ENV_IDS:
            return self.folder.name
        return self._env_of_files

    @property
    def _env_of_files(self) -> str | None:
        """What the database tells, else what a model told first: one of another game, put there later, changes nothing."""
        times = modified(self.model), modified(self.replay)
        known: tuple[tuple[float, float], str | None] = self.__dict__.get("_told", ((0.0, 0.0), None))
        if known[0] != times:
            known = times, env_of_replay(self.replay) or known[1] or env_of_model(self.model)
            self.__dict__["_told"] = known
        return known[1]


class Runs:
    """The runs under a folder, looked for again now and then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = Lock()
        self._runs: dict[str, Run] = {}
        self._next_look = 0.0
        self._models: dict[tuple[str, str], ModelFile] = {}

    def all(self) -> list[Run]:
        """The runs, the data folder itself first, then by name."""
        with self._lock:
            if time.monotonic() >= self._next_look:
                self._next_look = time.monotonic() + LOOK_EVERY
                found = run_folders(self.folder)
                self._runs = {name: self._runs.get(name) or Run(name, path) for name, path in found.items()}
            return list(self._runs.values())

    def pick(self, name: str | None) -> Run | None:
        """The run of that name, or the one that was changed last where no name is given; None where there is no run.

        Refuses a name that is no run.
        """
        runs = self.all()
        if name is None:
            return max(runs, key=lambda run: run.changed, default=None)
        for run in runs:
            if run.name == name:
                return run
        raise refusal(404, "There is no run of that name.")

    def model_for(self, env_id: str) -> ModelFile | None:
        """The model file that plays a game: the newest that can be used, else the newest; None where there is none."""
        runs = [run for run in self.all() if run.env_id == env_id]
        runs.sort(key=lambda run: modified(run.model), reverse=True)
        newest = None
        for run in runs:
            file = self.model_in(run)
            if file and file.current:
                return file
            newest = newest or file
        return newest

    def model_in(self, run: Run) -> ModelFile | None:
        """The model file of a run, looked at just now; None where it has none, or the rules of its game are not known."""
        env_id = run.env_id
        if env_id not in ENV_IDS or not modified(run.model):
            return None
        with self._lock:
            file = self._models.get((run.name, env_id))
            if file is None:
                game = game_of(env_id)
                file = ModelFile(run.model, env_id, game.obs_size, game.num_actions)
                self._models[run.name, env_id] = file
            file.poll()
            return file


def run_folders(folder: Path) -> dict[str, Path]:
    """The folders of runs by name."""
    found = {HERE: folder} if is_run(folder) else {}
    try:
        entries = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and entry.name[0] != ".")
    except OSError:
        return found
    for name in entries[:MOST_RUNS]:
        if name not in ("models", "logs") and is_run(folder / name):
            found[name] = folder / name
    return found


def is_run(folder: Path) -> bool:
    """Whether a folder holds anything of a run."""
    names = ("models", "stats.json", ACTOR_STATS_FILE, "replay.db")
    return any(os.path.exists(folder / name) for name in names)  # Path.exists raises where the folder can't be read


def modified(path: Path) -> float:
    """When a file was last written, Unix seconds; 0 where it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def env_of_model(path: Path) -> str | None:
    """The game that a model file fits, by its metadata and shapes."""
    for env_id in ENV_IDS:
        game = game_of(env_id)
        try:
            return load_model(path, env_id, game.obs_size, game.num_actions).info.metadata.get("env_id", env_id)
        except ModelError:
            continue
    return None


def env_of_replay(path: Path) -> str | None:
    """The game whose rows a replay database holds, by its metadata; None where there are none or several."""
    try:
        connection = open_for_reading(path)
    except ReplayError:
        return None
    try:
        with reporting(path):
            if "env_id" not in columns_of(connection, "game_metadata"):
                return None
            rows = connection.execute("SELECT env_id FROM game_metadata LIMIT 2").fetchall()
    except ReplayError:
        return None
    finally:
        connection.close()
    return str(rows[0][0]) if len(rows) == 1 else None


def trouble_of(file: ModelFile | None) -> str | None:
    """Why a game's newest model doesn't play, and what does instead; None where it does play."""
    if file is None:
        return "There is no model of this game yet; uniform-guess search plays."
    if file.current is None:
        return f"The newest model can't be used ({file.problem}); uniform-guess search plays."
    if file.problem:
        return f"The newest model can't be used ({file.problem}); the one before it plays."
    return None
