"""One run per folder: the trainer, or the loop that started it, owns its models and statistics as long as it lives."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainer.core.errors import ConfigError
from trainer.core.json_values import json_object
from trainer.core.signals import PARENT_VARIABLE


@contextmanager
def owned(models: Path, command: str, flag: str) -> Iterator[None]:
    """Own a model folder while the block runs. Raises ConfigError, naming the owner, if another process does.

    The system releases the lock, a hidden file beside the folder, when its owner dies. A trainer that a loop started shares
    its ownership. `command` names this process to others; `flag` is the one that chooses another folder.
    """
    models = Path(os.path.realpath(models))  # one folder has one lock, however its path is written
    path = models.parent / f".{models.name}.owner"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with open(path, "rb") as file:  # not for writing, which would keep a disk from being made read-only
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = json_object(file.read()) or {}
            if str(owner.get("process")) == os.environ.get(PARENT_VARIABLE):
                yield
                return
            raise ConfigError(
                f"the run in {models.parent} belongs to {description(owner)}; wait until it ends, stop it, or choose "
                f"another folder with {flag}"
            ) from None
        owner = {"command": command, "process": os.getpid(), "host": socket.gethostname(), "since": int(time.time())}
        path.write_text(json.dumps(owner))  # in place: a renamed file would not be the one that is locked
        yield


def description(owner: dict[str, object]) -> str:
    """An owner in words."""
    since = owner.get("since")
    if not isinstance(since, int):
        return "another process"
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since))
    return f"{owner.get('command')} (process {owner.get('process')} on {owner.get('host')}), since {clock}"
