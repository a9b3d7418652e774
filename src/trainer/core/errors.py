"""The errors raised on purpose.

Each message says what was expected, what was found, where, and what to do. A command prints it as one line and
exits with `exit_status`; anything that is not a `TrainerError` is a bug and keeps its traceback.
"""


class TrainerError(Exception):
    """Base of every error that a user or another process can cause."""

    exit_status = 1


class ConfigError(TrainerError):
    """A setting has a value that can't work."""


class GameError(TrainerError):
    """A game is unknown, or its dimensions contradict each other."""


class ReplayError(TrainerError):
    """The replay database, or one of its rows, isn't what the contract says."""


class ReplayUnavailableError(ReplayError):
    """The replay database can't be read or written at the moment (locked, disk full, read-only); that may pass."""


class ModelError(TrainerError):
    """A model file is missing, broken, or for another game."""


class CheckpointError(TrainerError):
    """A checkpoint can't be read, or belongs to another run."""


class WaitTimeoutError(TrainerError):
    """The data that was waited for didn't come in time."""

    exit_status = 2
