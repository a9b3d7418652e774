"""Drawing and solving the test positions of Connect 4: the work of `python -m trainer.measure.make_positions`.

Each position comes from a game of its own, so that they are varied. A game is played up to a ply that is drawn uniformly
from a phase, in one of four styles:

    uniform       uniform over the legal moves
    careful       wins if it can, blocks if it must, and is uniform otherwise
    half careful  each move is careful or uniform, with equal chances
    search        in proportion to the visits of a search with the uniform guess

Finished positions are left out, and so are positions that were drawn before, also as mirror images. Positions in which all
moves have the same score are left out too, because no move is wrong there. The file's comments say how many, so the error
rate over all positions drawn is the rate over the stored ones times the kept share.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from trainer.core.files import write_bytes
from trainer.evaluators.uniform import uniform
from trainer.games.base import MOVER, OPEN, opponent_of
from trainer.games.connect4.scored_positions import KINDS, ScoredLine, file_text, kind_of
from trainer.games.connect4.solver import BitBullySolver, plies_to_end
from trainer.games.positions import Positions
from trainer.games.solving.solver import NOT_LEGAL
from trainer.games.state_blob import parts_of
from trainer.players import sample
from trainer.search import Search

PHASES = {"begin": (0, 14), "middle": (15, 28), "end": (29, 41)}
"""The plies of each phase, first and last."""
STYLES = ("uniform", "careful", "half careful", "search")
GAMES_AT_ONCE = 400
SIMULATIONS = 50


def make_positions(each: int, seed: int, output: Path) -> None:
    """Write a file with `each` positions of each kind."""
    solver = BitBullySolver()
    found: dict[str, list[ScoredLine]] = {kind: [] for kind in KINDS}
    left_out: Counter[str] = Counter()
    for number, phase in enumerate(PHASES):
        draw_phase(phase, np.random.default_rng([seed, number]), solver, each, found, left_out)
    comments = [
        f"Connect 4 positions for measuring, {each} of each kind; made by python -m trainer.measure.make_positions "
        f"--seed {seed}",
        "Never train on them. Each line: kind, columns played, score of every column (see games/solving; . = full).",
    ]
    for kind in KINDS:
        total = each + left_out[kind]
        comments.append(
            f"{kind}: {each} kept of {total} drawn ({each / total:.3f}); in the others all moves have the same score"
        )
    lines = [line for kind in KINDS for line in found[kind]]
    write_bytes(output, file_text(comments, lines).encode())


def draw_phase(
    phase: str,
    generator: np.random.Generator,
    solver: BitBullySolver,
    each: int,
    found: dict[str, list[ScoredLine]],
    left_out: Counter[str],
) -> None:
    """Add positions of one phase to `found` until each of its kinds has `each`.

    `left_out` counts the positions, by kind, in which all moves have the same score.
    """
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
                found[kind].append(ScoredLine(kind, moves, tuple(int(score) for score in scores[0])))
        console.print(", ".join(f"{kind} {len(found[kind])}" for kind in wanted), highlight=False)


def play_games(
    generator: np.random.Generator, plies: tuple[int, int], search: Search
) -> tuple[list[str | None], Positions]:
    """Play GAMES_AT_ONCE games in all styles, each up to a ply drawn from `plies` (first and last).

    Returns the columns played in each game, or None if it ended earlier, and the positions reached.
    """
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
    """float32 [R, A]: each move's chance in a style, not normalized."""
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
    """bool [R, A]: the moves that win at once; if there are none, those that block a win; else all legal moves."""
    swapped = positions.states.copy()
    swapped[:, MOVER] = opponent_of(swapped[:, MOVER])
    wins, blocks = winning_moves(positions), winning_moves(positions.of(swapped))
    can_win, must_block = wins.any(axis=1, keepdims=True), blocks.any(axis=1, keepdims=True)
    chosen: NDArray[np.bool_] = np.where(can_win, wins, np.where(must_block, blocks, positions.legal()))
    return chosen


def winning_moves(positions: Positions) -> NDArray[np.bool_]:
    """bool [R, A]: the moves that win at once for the mover."""
    rows, actions, after = positions.successors()
    wins = np.zeros((len(positions.states), positions.game.num_actions), np.bool_)
    wins[rows, actions] = after.winner == positions.mover[rows]
    return wins


def is_new(positions: Positions, row: int, seen: set[bytes]) -> bool:
    """Whether neither the position nor its mirror image is in `seen`, to which it is then added."""
    cells = parts_of(positions.game, positions.stored()[row]).cells
    key = min(cells[list(symmetry.cells)].tobytes() for symmetry in positions.game.symmetries)
    new = key not in seen
    seen.add(key)
    return new
