"""The program `cartridge`."""

from __future__ import annotations

import subprocess
import sys

import pytest
from waiting import PATIENCE

import trainer
from trainer.cli import COMMANDS


def cartridge(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    return subprocess.run(
        [sys.executable, "-m", "trainer.cli", *words], capture_output=True, text=True, timeout=PATIENCE
    )


@pytest.mark.parametrize("words", [(), ("--help",), ("help",)])
def test_the_overview_lists_every_command(words: tuple[str, ...]) -> None:
    """Without arguments too."""
    done = cartridge(*words)
    assert done.returncode == 0
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_flags(name: str) -> None:
    """Its help shows the name it was called by."""
    done = cartridge(name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"usage: cartridge {name} " in done.stdout


def test_an_unknown_command_is_an_error_that_lists_them() -> None:
    """One line, status 2."""
    done = cartridge("lop")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: there is no command 'lop'; the commands are {', '.join(COMMANDS)}\n"


def test_the_version_is_the_packages() -> None:
    """One line."""
    assert cartridge("--version").stdout == f"cartridge {trainer.__version__}\n"
