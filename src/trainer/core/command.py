"""A command: flags from a dataclass, logging, exit status.

Exit status: 0 done, 1 failed (one line on standard error says why), 2 a flag that doesn't parse or a wait that timed out,
130 interrupted.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from trainer.core.errors import TrainerError
from trainer.core.signals import INTERRUPTED, heed_signals

Config = TypeVar("Config")


def run_command(
    config: type[Config],
    command: Callable[[Config], int],
    prog: str,
    arguments: Sequence[str] | None = None,
) -> int:
    """Parse `arguments` (default: the process's) into a `config`, run `command` on it, and return the exit status.

    The config's docstring and field docstrings are the help text. A field `log_level` sets the level of logging, which
    goes to standard error.
    """
    import tyro  # here, so that importing this module takes no time in which Ctrl-C isn't heard

    parsed = tyro.cli(config, prog=prog, args=arguments, description=config.__doc__)
    logging.basicConfig(
        level=getattr(parsed, "log_level", "INFO"),
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    try:
        heed_signals()
        return command(parsed)
    except TrainerError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except MemoryError as error:
        print(f"error: there is not enough memory ({error or 'of this machine'}); ask for less", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
