"""The work of `python -m trainer.analyse`: reads all positions, analyses them in parts, and writes a line for each."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

from trainer.analyse.lines import Line, read_lines
from trainer.api import Model, model_for
from trainer.core.files import atomic_write
from trainer.games.base import OPEN
from trainer.games.kernels import compiled_rules
from trainer.games.position import Position
from trainer.players.network import MOST_SLOTS
from trainer.search.analysis import Analysis
from trainer.settings.analyse import STANDARD_STREAM, AnalyseConfig

log = logging.getLogger(__name__)

TELL_EVERY = 10.0
"""Seconds between two lines of progress."""


def analyse(config: AnalyseConfig) -> int:
    """Write the analyses; returns the exit status. A mistake in any line is found before the first one is analysed."""
    config.check()
    model = model_for(config.model, config.env_id, config)
    lines = lines_of(config, model.env_id)
    parts = answers(model, lines, config.simulations)
    if config.json == STANDARD_STREAM:
        for part in parts:
            print(part, end="", flush=True)
        return 0
    told = time.monotonic()
    with atomic_write(config.json) as file:
        for number, part in enumerate(parts, 1):
            file.write(part.encode())
            if time.monotonic() > told + TELL_EVERY:
                told = time.monotonic()
                log.info("%s of %s positions", f"{min(number * MOST_SLOTS, len(lines)):,}", f"{len(lines):,}")
    return 0


def lines_of(config: AnalyseConfig, env_id: str) -> list[Line]:
    """The positions that are asked about. Raises GameError for a line that can't be read, OSError for a file."""
    rules = compiled_rules(env_id)
    if config.positions == STANDARD_STREAM:
        if sys.stdin and sys.stdin.isatty():
            log.info("reading positions, one per line, until Ctrl-D")
        return read_lines(sys.stdin or (), "standard input", rules)  # None: it is closed
    with open(config.positions, encoding="utf-8", errors="replace") as file:
        return read_lines(file, str(config.positions), rules)


def answers(model: Model, lines: list[Line], simulations: int) -> Iterator[str]:
    """The text to write, in parts of at most 256 positions."""
    for first in range(0, len(lines), MOST_SLOTS):
        part = lines[first : first + MOST_SLOTS]
        unfinished = [line.position for line in part if line.position.winner == OPEN]
        found = iter(model.analyse_all(unfinished, simulations))
        written = [fields(line, next(found) if line.position.winner == OPEN else None) for line in part]
        yield "".join(json.dumps(each, allow_nan=False) + "\n" for each in written)


def fields(line: Line, analysis: Analysis | None) -> dict[str, Any]:
    """What is written about a position: its moves, and its analysis or, if it is finished, its winner."""
    position = line.position
    if analysis is None:
        return {"moves": line.actions, "winner": position.winner}
    choices = [move.fields(position) for move in analysis.moves]
    return {
        "moves": line.actions,
        "mover": analysis.mover,
        "value": analysis.value,
        "raw_value": analysis.raw_value,
        "simulations": analysis.simulations,
        "best": named(position, analysis.best),
        "line": named_line(position, analysis.line),
        "choices": choices,
    }


def named_line(position: Position, actions: tuple[int, ...]) -> list[dict[str, Any]]:
    """Each of some actions that are played one after the other from a position."""
    written = []
    for action in actions:
        written.append(named(position, action))
        position = position.after(action)
    return written


def named(position: Position, action: int) -> dict[str, Any]:
    """An action and its name."""
    return {"action": action, "name": position.name(action)}
