"""The solver of dots and boxes, for boards of at most 24 edges: 3 x 3 boxes, and smaller ones."""

from __future__ import annotations

import numpy as np

from trainer.compile.linker import Linked
from trainer.core.errors import GameError
from trainer.games import find_game
from trainer.games.dots import edge_sets
from trainer.games.dots.edge_sets import EdgeSets
from trainer.games.kernels import link_kernels
from trainer.games.positions import Positions
from trainer.games.solving.solver import NOT_LEGAL, Scores

MOST_EDGES = 24
"""The table has a byte for each set of edges: 16 MiB, and each further edge doubles it."""


def solver(env_id: str) -> DotsSolver:
    """The solver of a board. Raises GameError if the board is too large."""
    return DotsSolver(env_id)


class DotsSolver:
    """Scores of moves in all positions of a board.

    A score is the final difference in boxes under best play, as in Othello that in discs.
    """

    quick = True

    def __init__(self, env_id: str) -> None:
        """Solve the board: about a second for 3 x 3 boxes. Raises GameError if it has more than MOST_EDGES edges."""
        own = find_game(env_id).own
        if own.EDGES > MOST_EDGES:
            raise GameError(
                f"{env_id} has {own.EDGES} edges; only boards with at most {MOST_EDGES} are solved, such as 3 x 3 boxes"
            )
        around = [sum(1 << int(edge) for edge in edges) for edges in own.EDGES_OF_BOX]
        boxes = [[around[box] if box >= 0 else -1 for box in pair] for pair in own.BOXES_OF_EDGE]
        self._sets = EdgeSets(np.zeros(1 << own.EDGES, np.int8), np.array(boxes, np.int64))
        self._kernels = link_kernels(env_id, edge_sets, warm_up=self._warm_up).edge_sets
        self._kernels.solve(self._sets)

    def scores(self, positions: Positions) -> Scores:
        """int8 [R, A]: the score of each legal move, NOT_LEGAL elsewhere."""
        scores = np.full((len(positions.states), positions.game.num_actions), NOT_LEGAL, np.int8)
        self._kernels.score_all(self._sets, positions.states, scores)
        return scores

    def _warm_up(self, linked: Linked) -> None:
        """Call each kernel once."""
        linked.edge_sets.solve(EdgeSets(np.zeros(1, np.int8), self._sets.boxes[:0]))
        states = np.zeros((0, 1), np.uint64)
        linked.edge_sets.score_all(self._sets, states, np.zeros((0, len(self._sets.boxes)), np.int8))
