"""Playthroughs: one whole game as text for each set of rules, for people to review and for a diff to check.

    python tests/support/playthrough.py --regenerate

rewrites the files from the actions in them, and makes a file with random moves for rules that have none. To show another
game, edit the line of actions in the file and regenerate it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from lines_of_play import Line, play_line, random_line

from trainer.games import ENV_IDS, game_of, rules_of
from trainer.games.base import FIRST, SECOND, Game
from trainer.games.position import Position

FOLDER = Path(__file__).parent.parent / "games" / "playthroughs"
REGENERATE = "python tests/support/playthrough.py --regenerate"
ACTIONS = "actions: "


def recorded_line(env_id: str) -> Line:
    """The game whose actions are in the file, or a random game if there is no file."""
    rules, path = rules_of(env_id), FOLDER / f"{env_id}.txt"
    if not path.exists():
        return random_line(rules, np.random.default_rng(0))
    recorded = next(line for line in path.read_text().splitlines() if line.startswith(ACTIONS))
    return play_line(rules, [int(action) for action in recorded.removeprefix(ACTIONS).split()])


def playthrough(env_id: str, line: Line) -> str:
    """The game as text: the board, the mover and the legal moves before each action, and the stored bytes of five plies."""
    game, last = game_of(env_id), len(line.actions)
    parts = [f"{game.display_name} ({env_id})\n{ACTIONS}{' '.join(map(str, line.actions))}"]
    for ply, position in enumerate(line.positions):
        heading = result(game, position) if ply == last else f"{mover(game, position)} to move"
        part = [f"ply {ply}: {heading}", str(position), f"legal: {' '.join(map(str, position.legal)) or 'none'}"]
        if ply in (0, 1, last // 2, last - 1, last):
            part.append(f"stored: {stored(game, position)}")
        if ply < last:
            part.append(f"plays: {line.actions[ply]}")
        parts.append("\n".join(part))
    return "\n\n".join(parts) + "\n"


def mover(game: Game, position: Position) -> str:
    """The mover's name, with the symbol if it differs from the name."""
    name, symbol = game.player_names[position.mover - 1], game.player_symbols[position.mover - 1]
    return name if name == symbol else f"{name} ({symbol})"


def result(game: Game, position: Position) -> str:
    """The result of the game."""
    return {FIRST: f"{game.player_names[0]} wins", SECOND: f"{game.player_names[1]} wins"}.get(position.winner, "draw")


def stored(game: Game, position: Position) -> str:
    """The stored bytes in hex: the rows of cells in stored order, then player, winner and flags."""
    content = position.to_bytes()
    rows = [content[first : first + game.width].hex() for first in range(0, game.num_cells, game.width)]
    return " ".join([*rows, *(f"{byte:02x}" for byte in content[game.num_cells :])])


if __name__ == "__main__":
    if sys.argv[1:] != ["--regenerate"]:
        sys.exit(f"usage: {REGENERATE}")
    for each in ENV_IDS:
        (FOLDER / f"{each}.txt").write_text(playthrough(each, recorded_line(each)))
