"""The newest models of the runs, loaded when they are needed and again when they are replaced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock

from trainer import pretrained
from trainer.core.errors import DeviceError
from trainer.evaluators.hot_reload import ModelFile
from trainer.games import is_available
from trainer.gpu.choice import loader_for
from trainer.settings.groups.device import EvaluationSettings
from trainer.web.runs.replay_file import modified
from trainer.web.runs.run import Run
from trainer.web.runs.runs import Runs


class Models:
    """The model files of all runs."""

    def __init__(self, runs: Runs, device: EvaluationSettings | None = None) -> None:
        """`device`: what evaluates them; None: the CPU."""
        self._runs = runs
        self._device = device or EvaluationSettings()
        self._lock = Lock()
        # One thread loads all models: on a GPU each thread needs graphs of its own, and those of requests soon end.
        self._loading = ThreadPoolExecutor(1, thread_name_prefix="models")
        self._files: dict[tuple[Path, str], ModelFile] = {}
        """By path and env_id."""

    def of_game(self, env_id: str) -> ModelFile | None:
        """The model file that plays a game: the newest usable one of a run, else the newest.

        Without a run it is the one that comes with the package; None if there is none either.
        """
        runs = [run for run in self._runs.all() if run.env_id == env_id]
        runs.sort(key=lambda run: modified(run.model), reverse=True)
        newest = None
        for run in runs:
            file = self.of_run(run)
            if file and file.current:
                return file
            newest = newest or file
        return newest or self._shipped(env_id)

    def of_run(self, run: Run) -> ModelFile | None:
        """The model file of a run, checked for a new version; None if it has no model, or its game is unknown."""
        env_id = run.env_id
        if env_id is None or not is_available(env_id) or not modified(run.model):
            return None
        return self._file(env_id, run.model)

    def _shipped(self, env_id: str) -> ModelFile | None:
        """The model that comes with the package."""
        path = pretrained.shipped(env_id)
        return self._file(env_id, path) if path else None

    def _file(self, env_id: str, path: Path) -> ModelFile:
        with self._lock:
            file = self._files.get((path, env_id))
            if file is None:
                file = ModelFile(path, loader_for(env_id, self._device), look=False)
                self._files[path, env_id] = file
            with suppress(DeviceError):  # the GPU can't take the newest model, and `problem` says so
                self._loading.submit(file.poll).result()
            return file


def trouble_with(file: ModelFile | None) -> str | None:
    """What plays a game in place of a run's newest model, and why, as a sentence; None if that model plays."""
    if file is None or not (file.current or file.problem):
        return "There is no model of this game yet; uniform-guess search plays instead."
    if file.problem is None:
        if file.path.parent == pretrained.FOLDER:
            return "No run has a model of this game yet; the one that comes with the package plays."
        return None
    player = "the model before it" if file.current else "uniform-guess search"
    return f"The newest model can't be used ({file.problem}); {player} plays instead."
