"""The lines of GTP, version 2 (Farnebäck 2002): commands with or without a number come in, one answer to each goes out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TextIO

from trainer.api import model_for
from trainer.core.errors import TrainerError
from trainer.gtp.commands import Commands, Refusal
from trainer.settings.gtp import GtpConfig

LINE = re.compile(r"(?:(\d+)\s*)?(\S*)\s*(.*)")


def serve(config: GtpConfig) -> int:
    """Answer the commands on standard input until `quit` or the end of the input; returns the exit status."""
    config.check()
    model = model_for(config.model, config.env_id, config)
    commands = Commands(model, config.simulations)
    if sys.stdin and sys.stdout:  # None: it is closed
        answer_all(sys.stdin, sys.stdout, commands)
    return 0


def answer_all(lines: Iterable[str], output: TextIO, commands: Commands) -> None:
    """Answer each command of `lines`, up to `quit`."""
    for line in lines:
        cleaned = re.sub(r"[\x00-\x1f\x7f]", "", line.replace("\t", " "))
        parsed = LINE.fullmatch(cleaned.partition("#")[0].strip())
        number, name, arguments = parsed.groups() if parsed else (None, "", "")
        if not name and number is None:
            continue
        try:
            mark, text = "=", commands.run(name, arguments.split())
        except (Refusal, TrainerError) as error:
            mark, text = "?", str(error)
        space = "" if text.startswith("\n") else " "
        output.write(f"{mark}{number or ''}{space}{text}".rstrip() + "\n\n")
        output.flush()
        if commands.ended:
            return
