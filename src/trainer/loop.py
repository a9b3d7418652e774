"""Self-play, training and evaluation in one command: `python -m trainer.loop --env-id tictactoe`.

The actor and the trainer are processes of their own, joined only by files, so each can be stopped and inspected alone. This
process watches their statistics, evaluates the newest model every few seconds, and shows the progress.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.core.arguments import given, parse, refuse_empty_paths, value_of
from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals, stop_on_signals
from trainer.settings.loop import LoopConfig
from trainer.settings.validation import require

__all__ = ["LoopConfig", "config_from", "main"]


def config_from(words: Sequence[str], prog: str = "python -m trainer.loop") -> LoopConfig:
    """The settings that `words` ask for; those they leave out come from the game's recipe, or from the run resumed."""
    from trainer.launch.defaults import defaults_for  # NumPy takes a moment to import

    refuse_empty_paths(LoopConfig, words)
    folder = value_of(words, "--data-dir")
    start = defaults_for(
        value_of(words, "--env-id"),
        Path(folder) if folder else None,
        "--resume" in words,
        value_of(words, "--device") or LoopConfig.device,
    )
    parsed = parse(LoopConfig, prog, words, start.settings)
    settings: dict[str, Any] = {name: getattr(parsed, name) for name in given(LoopConfig, words)}
    config = start.replaced(**settings)
    for name in sorted(settings.keys() & {"web_host", "web_port"}):
        require(config.web, f"--{name.replace('_', '-')} is given without --web; add --web to serve the page")
    return config


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.loop") -> int:
    """The command."""
    leave_on_signals()

    def run(config: LoopConfig) -> int:
        from trainer.launch.local import run_loop  # compiled code takes a second to import

        return run_loop(config, stop_on_signals())

    return run_command(LoopConfig, run, prog, arguments, lambda words: config_from(words, prog))


if __name__ == "__main__":
    sys.exit(main())
