"""Waits for what other programs have yet to write."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import TIMEOUT_MAX, Event

from trainer.core.errors import WaitTimeoutError
from trainer.games import has_rules, known_games
from trainer.replay import count_rows, read_game
from trainer.settings.trainer import TrainerConfig

log = logging.getLogger(__name__)


def wait_for_game(config: TrainerConfig, databases: Sequence[Path], stop: Event) -> bool:
    """Wait until a database can state the dimensions of a game without rules here; False if `stop` was set first.

    The wait ends when one states the game or has rows, because its writer creates the tables first. Raises WaitTimeoutError,
    and ReplayError if a file isn't a database.
    """
    if has_rules(config.env_id):
        return True
    names = ", ".join(map(str, databases))

    def missing() -> str:
        if any(read_game(db, config.env_id)[0] or count_rows(db) for db in databases):
            return ""
        found = f"0 rows in {names}" if any(db.exists() for db in databases) else f"no {names} yet"
        return f"the game {config.env_id!r} has no rules here, and {found}"

    if missing():
        log.warning(
            "only a database can state the dimensions of %s; games with rules here are %s; another --env-id may be meant",
            config.env_id,
            ", ".join(known_games()),
        )
    return wait_while(missing, config, stop)


def wait_while(missing: Callable[[], str], config: TrainerConfig, stop: Event) -> bool:
    """Wait while something is missing, and log what; False if `stop` was set first. Raises WaitTimeoutError.

    `missing` looks, and says what is missing in a few words; "" if nothing is.
    """
    began, said = time.monotonic(), ""
    while state := missing():
        waited = time.monotonic() - began
        if config.max_wait and waited >= config.max_wait:
            raise WaitTimeoutError(
                f"{state} after {config.max_wait:g} s, a batch needs {config.batch_size}; "
                f"is an actor running? (--max-wait 0 waits for ever)"
            )
        if state != said:  # an actor that compiles a game takes long
            log.info("waiting for %d rows: %s", config.batch_size, state)
        said = state
        left = config.max_wait - waited if config.max_wait else math.inf
        if stop.wait(min(config.wait_interval, left, TIMEOUT_MAX)):
            return False
    return True
