"""Makes the Othello positions in which wrong moves are counted, with the exact score of every move (a minute or two).

    python tools/othello_positions.py                  the set that the package ships
    python tools/othello_positions.py --seed 1 --output endgames.csv

Each position comes from a game of its own, played until 12 cells are empty: half of them at random, half by UCT with 100
rollouts, which chooses its first move of many by chance too. Left out are positions that occurred before, also turned or
mirrored, and those in which all moves have the same score, because no move is wrong there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from trainer.core.files import write_bytes
from trainer.games.base import OPEN
from trainer.games.othello import scored_positions
from trainer.games.othello.endgame import EndgameSolver, empty_cells
from trainer.games.othello.scored_positions import FILE, KINDS, ScoredEndgame, file_text
from trainer.games.positions import Positions
from trainer.games.solving.solver import NOT_LEGAL
from trainer.players import Player, RandomPlayer, RolloutPlayer

EMPTY = 12
GAMES_AT_ONCE = 100
ROLLOUTS = 100
RANDOM_PLIES = 6
"""The first moves of every game are random."""


def play_games(player: Player, generator: np.random.Generator) -> tuple[list[list[int]], Positions]:
    """Play games until EMPTY cells are empty, or the game is over; returns the moves and the positions."""
    positions = Positions("othello", GAMES_AT_ONCE)
    moves: list[list[int]] = [[] for _ in range(GAMES_AT_ONCE)]
    generators = generator.spawn(GAMES_AT_ONCE)
    while len(rows := np.flatnonzero((positions.winner == OPEN) & (empty_cells(positions) > EMPTY))):
        chooser = player if len(moves[rows[0]]) >= RANDOM_PLIES else RandomPlayer()
        chosen = chooser.choose(positions.of(positions.states[rows]), [generators[row] for row in rows])
        positions.play(rows, chosen)
        for row, action in zip(rows, chosen, strict=True):
            moves[row].append(int(action))
    return moves, positions


def draw(kind: str, player: Player, each: int, generator: np.random.Generator) -> tuple[list[ScoredEndgame], int]:
    """`each` positions of a kind, and how many were left out because all of their moves have the same score."""
    solver, seen = EndgameSolver(), set[bytes]()
    found: list[ScoredEndgame] = []
    left_out = 0
    while len(found) < each:
        moves, positions = play_games(player, generator)
        boards, legal = positions.stored()[:, :64], positions.legal()
        for row in np.flatnonzero(positions.winner == OPEN):
            key = min(boards[row][list(symmetry.cells)].tobytes() for symmetry in positions.game.symmetries)
            if key in seen or len(found) == each:
                continue
            seen.add(key)
            scores = solver.scores(positions.of(positions.states[row : row + 1]))[0]
            if len(set(scores[legal[row]])) == 1:
                left_out += 1
                continue
            scored = tuple((int(action), int(scores[action])) for action in np.flatnonzero(scores != NOT_LEGAL))
            found.append(ScoredEndgame(kind, tuple(moves[row]), scored))
        print(f"{kind}: {len(found)}", flush=True)
    return found, left_out


def main() -> None:
    """Draw both kinds and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--each", type=int, default=500, help="positions of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path(str(scored_positions.__file__)).with_name(FILE))
    chosen = parser.parse_args()
    comments = [
        f"Othello positions with {EMPTY} empty cells for measuring, {chosen.each} of each kind; made by "
        f"python tools/othello_positions.py --seed {chosen.seed}",
        "Never train on them. Each line: kind, actions played, score of every legal action (see othello/endgame.py).",
    ]
    endgames: list[ScoredEndgame] = []
    for number, (kind, player) in enumerate(
        zip(KINDS, (RandomPlayer(), RolloutPlayer("othello", ROLLOUTS)), strict=True)
    ):
        found, left_out = draw(kind, player, chosen.each, np.random.default_rng([chosen.seed, number]))
        total = chosen.each + left_out
        comments.append(
            f"{kind}: {chosen.each} kept of {total} drawn ({chosen.each / total:.3f}); in the others all moves have the "
            f"same score"
        )
        endgames += found
    write_bytes(chosen.output, file_text(comments, endgames).encode())


if __name__ == "__main__":
    main()
