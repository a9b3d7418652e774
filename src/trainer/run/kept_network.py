"""The copy of the file of a custom network, which a run keeps beside its models."""

from __future__ import annotations

from pathlib import Path

from trainer.core.errors import ConfigError
from trainer.core.files import write_bytes
from trainer.run.model_files import FORMER_NETWORK, NETWORK


def read_network(path: Path) -> bytes:
    """The text of a file with a network. Raises ConfigError if it can't be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"--network-file {path} can't be read ({error.strerror}); give a Python file with a function network (a run's "
            f"own copy is {NETWORK}, beside its models)"
        ) from error


def kept_networks(models: Path) -> list[Path]:
    """The copies beside these models, the one that counts first; a run that an earlier version began may have two."""
    return [path for name in (NETWORK, FORMER_NETWORK) if (path := models / name).exists()]


def keep_network(text: bytes | None, models: Path) -> None:
    """Write the copy of a new run; None: its network is one of this package."""
    if text is None:
        for copy in kept_networks(models):
            copy.unlink()
    else:
        write_bytes(models / NETWORK, text)


def require_kept(path: Path, text: bytes, models: Path) -> None:
    """Raise ConfigError if the run with these models began with another file than `path`, whose text this is."""
    copy = next(iter(kept_networks(models)), None)
    if copy is None:
        raise ConfigError(
            f"the run in {models.parent} began without --network-file; leave it out to go on, or start a new run without "
            f"--resume"
        )
    if copy.read_bytes() != text:
        raise ConfigError(
            f"--network-file {path} isn't the file that the run began with; go on with its copy, --network-file {copy}, or "
            f"start a new run without --resume"
        )
