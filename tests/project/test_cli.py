"""The program `cartridge`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module

import pytest
from waiting import PATIENCE

import trainer
from trainer import cli
from trainer.cli import COMMANDS

Said = tuple[object, str, str]


@pytest.fixture
def cartridge(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs the program in this process, without its handling of signals: its status, and what it wrote to both streams."""
    monkeypatch.setattr(cli, "leave_on_signals", lambda: None)
    for module, _ in COMMANDS.values():
        monkeypatch.setattr(import_module(module), "leave_on_signals", lambda: None)

    def run(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["cartridge", *words])
        try:
            status: object = cli.main()
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return run


@pytest.mark.parametrize("words", [(), ("--help",), ("help",)])
def test_the_overview_lists_every_command(words: tuple[str, ...], cartridge: Callable[..., Said]) -> None:
    """Without arguments too."""
    status, said, _ = cartridge(*words)
    assert status == 0
    for name in COMMANDS:
        assert f"\n  {name} " in said


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_flags(name: str, cartridge: Callable[..., Said]) -> None:
    """Its help shows the name it was called by."""
    status, said, errors = cartridge(name, "--help")
    assert status == 0, errors
    assert f"usage: cartridge {name} " in said


def test_help_is_also_asked_by_its_name(cartridge: Callable[..., Said]) -> None:
    """`cartridge help ladder` is `cartridge ladder --help`."""
    status, said, errors = cartridge("help", "ladder")
    assert status == 0, errors
    assert "usage: cartridge ladder " in said


@pytest.mark.parametrize("words", ["--help", "--version", "help loop"])
def test_a_reader_who_has_seen_enough_is_no_error(words: str) -> None:
    """As in `cartridge --help | true`, and a full disk is one line."""
    program = f"{sys.executable} -u -m trainer.cli {words}"
    done = subprocess.run(
        f"({program}; echo $? >&2) | true", shell=True, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stderr == "0\n"
    done = subprocess.run(f"{program} > /dev/full", shell=True, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


def test_an_unknown_command_is_an_error_that_lists_them(cartridge: Callable[..., Said]) -> None:
    """One line, status 2."""
    error = f"error: there is no command 'lop'; the commands are {', '.join(COMMANDS)}\n"
    assert cartridge("lop") == (2, "", error)


def test_the_version_is_the_packages() -> None:
    """One line, by the program itself."""
    words = [sys.executable, "-m", "trainer.cli", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == f"cartridge {trainer.__version__}\n"
