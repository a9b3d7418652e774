"""Packages that only some flags need, and that may not be installed."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from typing import Any

from trainer.core.errors import ConfigError

DISTRIBUTION = "cartridge-trainer"
"""The name of this program in pyproject.toml."""


def require_package(module: str, package: str, needs: str) -> None:
    """Raise ConfigError, with the command that installs `package`, if its `module` is not installed.

    `needs` begins the message: what needs the package.
    """
    if find_spec(module) is None:
        message = f"{needs}, which is not installed; install it with: pip install '{requirement_of(package)}'"
        raise ConfigError(message)


def require_onnxscript() -> None:
    """Raise ConfigError if the exporter of custom networks is not installed."""
    require_package("onnxscript", "onnxscript", "the export of a custom network needs onnxscript")


def require_tensorboard() -> None:
    """Raise ConfigError if TensorBoard is not installed."""
    require_package("tensorboard", "tensorboard", "--tensorboard needs the package tensorboard")


def require_matplotlib() -> None:
    """Raise ConfigError if what draws plots is not installed."""
    require_package("matplotlib", "matplotlib", "a plot needs matplotlib")


def import_package(module: str, package: str, needs: str) -> Any:
    """A module of `package`. Raises ConfigError as `require_package` does, and if the import fails."""
    require_package(module, package, needs)
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"{needs}, which can't be imported ({error}); install it anew: pip install '{requirement_of(package)}'"
        ) from error


def requirement_of(package: str) -> str:
    """What pip should install for a package: with the versions in pyproject.toml, or the bare name if it isn't there."""
    try:
        requirements = [text.partition(";")[0].strip() for text in requires(DISTRIBUTION) or []]
    except PackageNotFoundError:  # the sources are used without an installation
        requirements = []
    return next((text for text in requirements if re.split("[^A-Za-z0-9._-]", text)[0] == package), package)
