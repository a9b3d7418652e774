"""The errors that are raised on purpose.

Each message says what was expected, what was found, where, and what to do. A command prints it as one line and exits with
`exit_status`. Any other exception is a bug and keeps its traceback.
"""


class TrainerError(Exception):
    """Base of every error that a user or another process can cause."""

    exit_status = 1


class ConfigError(TrainerError):
    """A setting has a value that can't work."""


class GameError(TrainerError):
    """A game can't be used as asked: it is unknown, its rules are wrong or others, or a move is illegal."""


class KernelError(TrainerError):
    """A module of kernels depends on something that the cache of compiled code can't see."""


class ReplayError(TrainerError):
    """The replay database, or one of its rows, breaks the documented format (docs/formats.md)."""


class ReplayUnavailableError(ReplayError):
    """The replay database can't be read or written now (locked, disk full, read-only), but may be later."""


class ModelError(TrainerError):
    """A model file is missing, broken, or for another game."""


class DeviceError(TrainerError):
    """A GPU has failed, or its memory is full. The process can't go on; a run can be resumed."""


class CheckpointError(TrainerError):
    """A checkpoint can't be read, or belongs to another run."""


class EngineError(TrainerError):
    """An engine, a program that plays, can't be started, has died, is silent, or answers what makes no sense."""


class WaitTimeoutError(TrainerError):
    """The expected data didn't arrive in time."""

    exit_status = 2


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its type if it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def shortened(value: object) -> str:
    """A value's repr for an error message, cut to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
