"""`python -m trainer.evaluator`: how strong a model is, by matches or by its wrong moves."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals
from trainer.settings.evaluator import EvaluatorConfig

__all__ = ["EvaluatorConfig", "main"]


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.evaluator") -> int:
    """The command."""
    leave_on_signals()

    def run(config: EvaluatorConfig) -> int:
        from trainer.measure.evaluation import evaluate  # compiled code takes a second to import

        return evaluate(config)

    return run_command(EvaluatorConfig, run, prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
