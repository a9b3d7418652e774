"""The program `cartridge`: one name for all commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import trainer
from trainer.core.command import complain, status_of
from trainer.core.signals import leave_on_signals

PURPOSE = "Train, measure and play AlphaZero-style agents for board games."
COMMANDS = {
    "loop": ("trainer.loop", "learn a game from scratch: self-play, training and evaluation together"),
    "train": ("trainer.__main__", "train on the games of a replay database"),
    "actor": ("trainer.actor.__main__", "play games with the newest model and store them"),
    "evaluate": ("trainer.evaluator", "play a model against an opponent, or count its wrong moves"),
    "ladder": ("trainer.ladder", "rate the models of runs in Elo"),
    "analyse": ("trainer.analyse.__main__", "write what a model thinks of many positions, as JSON"),
    "check": ("trainer.check.__main__", "look for mistakes in the rules of a game, and print what it is like"),
    "gtp": ("trainer.gtp.__main__", "let other programs play against a model, through GTP"),
    "play": ("trainer.play.__main__", "play against a model in the terminal"),
    "web": ("trainer.web.__main__", "serve the page: watch a run, play its model, look at stored games"),
}
EXAMPLES = """\
A first run:
  cartridge loop                                  learn tic-tac-toe in 20 seconds, into data/tictactoe
  cartridge play                                  then play against it here
  cartridge web                                   or at http://127.0.0.1:8080/
  cartridge evaluate --model data/tictactoe/models/latest.onnx

cartridge COMMAND --help lists the flags of a command."""


def main() -> int:
    """Run the command named by the first argument, with the remaining ones."""
    leave_on_signals()
    name, *words = sys.argv[1:] or ["--help"]
    if name == "help" and words:
        name, *words = words[0], "--help"
    if name in ("-h", "--help", "help"):
        return status_of(lambda: show(overview()))
    if name == "--version":
        return status_of(lambda: show(f"cartridge {trainer.__version__}"))
    if name not in COMMANDS:
        complain(f"error: there is no command {name!r}; the commands are {', '.join(COMMANDS)}")
        return 2
    return run(name, words)


def show(text: str) -> int:
    """Print a text; returns the exit status."""
    print(text)
    return 0


def run(name: str, words: Sequence[str]) -> int:
    """Run one command; returns its exit status."""
    status: int = import_module(COMMANDS[name][0]).main(words, f"cartridge {name}")
    return status


def overview() -> str:
    """What `cartridge --help` prints."""
    lines = [f"  {name:10} {what}" for name, (_, what) in COMMANDS.items()]
    return "\n".join(["usage: cartridge COMMAND [flags]", "", PURPOSE, "", "Commands:", *lines, "", EXAMPLES])


if __name__ == "__main__":
    sys.exit(main())
