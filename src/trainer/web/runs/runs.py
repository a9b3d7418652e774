"""The runs under the data folder: the folder itself if it is a run, and each folder in it that is one."""

from __future__ import annotations

import os
import time
from itertools import islice
from pathlib import Path
from threading import Lock

from trainer.run.folder import LOGS, MODELS, RunFolder
from trainer.web.http.answer import name_of_file
from trainer.web.runs.missing import MissingError
from trainer.web.runs.replay_file import modified
from trainer.web.runs.run import Run, is_run

NO_RUN = "There is no run in the data folder yet."
HERE = "."
"""Name of the run that is the data folder itself."""
MAX_RUNS = 500
"""Runs to show, beside the data folder itself."""
LOOK_EVERY = 1.0
"""Seconds after which the folder is searched again."""


class Runs:
    """The runs under a folder, which is searched again once per second while somebody asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._runs: dict[str, Run] = {}
        self._next_look = 0.0

    def all(self) -> list[Run]:
        """The runs: the data folder itself first, then by name."""
        with self._lock:
            if time.monotonic() >= self._next_look:
                self._next_look = time.monotonic() + LOOK_EVERY
                found = run_folders(self._folder)
                self._runs = {name: self._runs.get(name) or Run(name, run) for name, run in found.items()}
            return list(self._runs.values())

    def newest(self) -> Run | None:
        """The run that was written to last; None if there is no run."""
        return max(self.all(), key=lambda run: run.changed, default=None)

    def pick(self, name: str | None) -> Run | None:
        """The run of that name, or the newest if no name is given. Raises MissingError for an unknown name."""
        if name is None:
            return self.newest()
        run = self.find(name)
        if run is None:
            raise MissingError("There is no run of that name.")
        return run

    def find(self, name: str) -> Run | None:
        """The run of that name; None if there is none."""
        return next((run for run in self.all() if run.name == name), None)


def run_folders(folder: Path) -> dict[str, RunFolder]:
    """The folders of runs, by run name: the folder's name in a form that any answer and address can hold.

    Of more than MAX_RUNS, those that were changed last; a folder changes when a file in it is replaced, such as stats.json.
    """
    here = RunFolder(folder)
    found = {HERE: here} if is_run(here) else {}
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.is_dir() and entry.name[0] != "."]
    except OSError:
        return found
    newest = sorted(names, key=lambda name: modified(folder / name), reverse=True)
    runs = (name for name in newest if name not in (MODELS, LOGS) and is_run(RunFolder(folder / name)))
    for name in sorted(islice(runs, MAX_RUNS)):
        found[name_of_file(name)] = RunFolder(folder / name)
    return found
