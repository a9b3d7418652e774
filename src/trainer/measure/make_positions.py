"""Make the stored set of Connect 4 positions: `python -m trainer.measure.make_positions` (takes minutes, needs bitbully).

Each position comes from a game of its own, so that they are varied. A game is played to a ply drawn evenly from the phase,
in one of four styles drawn evenly: uniform play; careful play, which wins when it can and blocks when it must and is
uniform otherwise; half and half; and draws in proportion to the visits of a search with the uniform guess. Finished
positions and positions seen before, also mirrored, are left out. So are positions in which all moves have one score, as
nobody can go wrong there; the file's comments say how many, so an error over all positions drawn is the error over the
stored ones times the kept share.
"""

from __future__ import annotations

from trainer.core.signals import leave_on_signals

if __name__ == "__main__":
    leave_on_signals()  # what follows takes a second to import

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from trainer.core.command import run_command
from trainer.core.files import write_bytes
from trainer.evaluators.uniform import uniform
from trainer.games.base import MOVER, OPEN
from trainer.games.connect4.solver import BitBullySolver, plies_to_end
from trainer.games.positions import Positions
from trainer.games.solver import NOT_LEGAL
from trainer.measure.exam import CONNECT4_FILE, KINDS, Scored, kind_of, write_scored
from trainer.players import sample
from trainer.search import Search
from trainer.settings.validation import LogLevel, require, require_seed

PHASES = {"begin": (0, 14), "middle": (15, 28), "end": (29, 41)}
"""The plies of each phase, first and last."""
STYLES = ("uniform", "careful", "half careful", "search")
GAMES_AT_ONCE = 400
SIMULATIONS = 50


@dataclass(frozen=True)
class MakeConfig:
    """Draw and solve the Connect 4 positions that move quality is measured on."""

    output: Path = Path(__file__).parent.parent / "games/connect4" / CONNECT4_FILE
    """File to write."""
    each: int = 1000
    """Positions of each kind."""
    seed: int = 0
    """Fixes the positions."""
    log_level: LogLevel = "INFO"
    """What to report on standard error."""


def make(config: MakeConfig) -> int:
    """The command: write the file."""
    require(config.each >= 1, f"--each is {config.each}; at least 1 is needed")
    require_seed(config.seed)
    solver = BitBullySolver()
    found: dict[str, list[Scored]] = {kind: [] for kind in KINDS}
    left_out: Counter[str] = Counter()
    for number, phase in enumerate(PHASES):
        draw_phase(phase, np.random.default_rng([config.seed, number]), solver, config.each, found, left_out)
    comments = [
        f"Connect 4 positions for measuring, {config.each} a kind; made by python -m trainer.measure.make_positions "
        f"--seed {config.seed}",
        "Never train on them. Each line: kind, columns played, score of every column (see trainer/solvers; . = full).",
    ]
    for kind in KINDS:
        total = config.each + left_out[kind]
        comments.append(
            f"{kind}: {config.each} kept of {total} drawn ({config.each / total:.3f}); in the others all moves are alike"
        )
    lines = [line for kind in KINDS for line in found[kind]]
    write_bytes(config.output, write_scored(comments, lines).encode())
    return 0


def draw_phase(
    phase: str,
    generator: np.random.Generator,
    solver: BitBullySolver,
    each: int,
    found: dict[str, list[Scored]],
    left_out: Counter[str],
) -> None:
    """Add positions of one phase to `found` until each of its kinds has `each`; count what is left out."""
    console = Console(stderr=True)
    wanted = [kind for kind in KINDS if kind.startswith(phase)]
    search = Search("connect4", GAMES_AT_ONCE // len(STYLES), SIMULATIONS)
    seen: set[bytes] = set()
    while any(len(found[kind]) < each for kind in wanted):
        games, positions = play_games(generator, PHASES[phase], search)
        for row, moves in enumerate(games):
            if moves is None or not is_new(positions, row, seen):
                continue
            scores = solver.scores(positions.of(positions.states[row : row + 1]))
            kind = kind_of(len(moves), int(plies_to_end(scores, np.array([len(moves)]))[0]))
            if kind not in wanted or len(found[kind]) == each:
                continue
            legal = scores[0] != NOT_LEGAL
            if len(set(scores[0, legal])) == 1:
                left_out[kind] += 1
            else:
                found[kind].append(Scored(kind, moves, tuple(int(score) for score in scores[0])))
        console.print(", ".join(f"{kind} {len(found[kind])}" for kind in wanted), highlight=False)


def play_games(
    generator: np.random.Generator, plies: tuple[int, int], search: Search
) -> tuple[list[str | None], Positions]:
    """Games in all styles, played to plies drawn from `plies`, and where they stand; None for one that ended before."""
    positions = Positions("connect4", GAMES_AT_ONCE)
    length = generator.integers(plies[0], plies[1], GAMES_AT_ONCE, endpoint=True)
    style = np.arange(GAMES_AT_ONCE) % len(STYLES)
    moves = [""] * GAMES_AT_ONCE
    for ply in range(plies[1]):
        playing = (positions.winner == OPEN) & (length > ply)
        for number, name in enumerate(STYLES):
            rows = np.flatnonzero(playing & (style == number))
            weights = style_weights(name, positions.of(positions.states[rows]), search, generator)
            chosen = sample(weights, 1.0, [generator] * len(rows))
            positions.play(rows, chosen)
            for row, action in zip(rows, chosen, strict=True):
                moves[row] += str(action)
    complete = (positions.winner == OPEN) & (np.array([len(played) for played in moves]) == length)
    return [played if kept else None for played, kept in zip(moves, complete, strict=True)], positions


def style_weights(
    style: str, positions: Positions, search: Search, generator: np.random.Generator
) -> NDArray[np.float32]:
    """float32 [R, A]: how likely a style plays each move."""
    legal = positions.legal().astype(np.float32)
    if style == "uniform" or not len(legal):
        return legal
    if style == "search":
        return search.run(positions.states, SIMULATIONS, uniform)[0]
    careful = careful_moves(positions).astype(np.float32)
    if style == "careful":
        return careful
    return np.where(generator.random((len(legal), 1)) < 0.5, careful, legal).astype(np.float32)


def careful_moves(positions: Positions) -> NDArray[np.bool_]:
    """bool [R, A]: the moves that win at once; where there are none, those that block a win; else all legal ones."""
    swapped = positions.states.copy()
    swapped[:, MOVER] = 3 - swapped[:, MOVER]
    wins, blocks = winning_moves(positions), winning_moves(positions.of(swapped))
    can_win, must_block = wins.any(axis=1, keepdims=True), blocks.any(axis=1, keepdims=True)
    chosen: NDArray[np.bool_] = np.where(can_win, wins, np.where(must_block, blocks, positions.legal()))
    return chosen


def winning_moves(positions: Positions) -> NDArray[np.bool_]:
    """bool [R, A]: the moves with which the mover wins at once."""
    rows, actions, after = positions.successors()
    wins = np.zeros((len(positions.states), positions.game.num_actions), np.bool_)
    wins[rows, actions] = after.winner == positions.mover[rows]
    return wins


def is_new(positions: Positions, row: int, seen: set[bytes]) -> bool:
    """Whether neither the position nor its mirror image was seen; it has been now."""
    cells = positions.stored()[row, : positions.game.num_cells]
    key = min(cells[list(symmetry.cells)].tobytes() for symmetry in positions.game.symmetries)
    new = key not in seen
    seen.add(key)
    return new


def main() -> int:
    """The command."""
    return run_command(MakeConfig, make, prog="python -m trainer.measure.make_positions")


if __name__ == "__main__":
    sys.exit(main())
