"""One run per folder: the trainer, or the loop that started it, owns its models and statistics as long as it lives.

There are two locks, both hidden files beside what is owned. The owner holds `.<name>.owner`. A trainer that a loop started
shares that ownership, and holds `.<name>.trainer` itself, because it may outlive a loop that is killed: the next owner waits
for it. The system releases a lock when the process that holds it dies.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from trainer.core.errors import ConfigError
from trainer.core.json_values import json_object
from trainer.core.signals import PARENT_VARIABLE, nothing_to_finish

log = logging.getLogger(__name__)

ORPHAN_SECONDS = 30.0
"""How long a new owner waits for the trainer of a loop that was killed, which first finishes its step."""
LOOK_SECONDS = 0.1
"""Time between two looks whether it has ended."""


@contextmanager
def owned(path: Path, command: str, flag: str) -> Iterator[None]:
    """Own a run's model folder or its statistics file while the block runs.

    `command` names this process to others; `flag` is the one that chooses another path. Raises ConfigError, naming the
    owner, if another process owns it, or if the trainer of a loop that was killed writes to it for longer than
    ORPHAN_SECONDS; and if the file system has no locks.
    """
    path = Path(os.path.realpath(path))  # one folder has one lock, however its path is written
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock_file(path, "owner") as own, lock_file(path, "trainer") as trainers:
        if locks(own):
            sign(own, command)  # before the look at the other lock, so that an orphan who takes it later sees this
            if not (locks(trainers) or locks_in_time(trainers)):
                raise ConfigError(
                    f"the run in {path.parent} is still written by {description(trainers)}, whose loop was killed; wait "
                    f"until it ends, stop it, or choose another folder with {flag}"
                )
            fcntl.flock(trainers, fcntl.LOCK_UN)  # for the trainer that this process may start
        elif of_parent(own) and locks(trainers) and of_parent(own):  # asked again: there may be a new owner since
            sign(trainers, command)
        else:
            raise ConfigError(
                f"the run in {path.parent} belongs to {description(own)}; wait until it ends, stop it, or choose another "
                f"folder with {flag}"
            )
        yield


@contextmanager
def lock_file(path: Path, kind: str) -> Iterator[IO[bytes]]:
    """The file of a lock of `path`, open and not locked yet. If it is locked, that ends with the block."""
    name = path.parent / f".{path.name}.{kind}"
    name.touch()
    # Not for writing, which would keep a disk from being made read-only; without a buffer, so that it can be read again.
    with open(name, "rb", buffering=0) as file:
        yield file


def locks(file: IO[bytes]) -> bool:
    """Lock an open file; False if another process has locked it. Raises ConfigError if its file system can't lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # NFS locks only what is open for writing
        raise ConfigError(
            f"no file can be locked in {Path(file.name).parent} ({error.strerror}); use a folder on a local disk"
        ) from None
    return True


def locks_in_time(file: IO[bytes]) -> bool:
    """Lock an open file once the trainer that holds it has ended; False if it hasn't within ORPHAN_SECONDS."""
    log.info("the trainer of a loop that was killed still finishes its step: waiting until it has ended")
    end = time.monotonic() + ORPHAN_SECONDS
    with nothing_to_finish():
        while time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
            if locks(file):
                return True
    return False


def of_parent(file: IO[bytes]) -> bool:
    """Whether the loop that started this process has locked a file."""
    return str(signed(file).get("process")) == os.environ.get(PARENT_VARIABLE)


def sign(file: IO[bytes], command: str) -> None:
    """State in a locked file which process has it."""
    holder = {"command": command, "process": os.getpid(), "host": socket.gethostname(), "since": int(time.time())}
    Path(file.name).write_text(json.dumps(holder))  # in place: a renamed file would not be the one that is locked


def signed(file: IO[bytes]) -> dict[str, object]:
    """What the process that has locked a file states; empty if it has stated nothing yet."""
    file.seek(0)
    return json_object(file.read()) or {}


def description(file: IO[bytes]) -> str:
    """The process that has locked a file, in words."""
    holder = signed(file)
    since = holder.get("since")
    if not isinstance(since, int):
        return "another process"
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since))
    return f"{holder.get('command')} (process {holder.get('process')} on {holder.get('host')}), since {clock}"
