"""Dots and boxes: draw an edge between two dots; whoever draws the fourth side of a box owns it and moves again.

The game ends when all edges are drawn, and the player with more boxes wins; with as many each it is a draw.

The board is a grid of (2 * ROWS + 1) x (2 * COLUMNS + 1) cells, row 0 at the top: dots where row and column are even, boxes
where both are odd, edges elsewhere. Actions are edges: first the horizontal ones, row by row, then the vertical ones.

What matters of a position is which edges are drawn, who leads by how many boxes, and who moves. The network doesn't see who
owns which box.
"""

import numpy as np

from trainer.games.base import DRAW, FIRST, FLAGS, MOVER, SECOND, WINNER, Board, Game, Mask, Seats, State
from trainer.games.parameters import parameter
from trainer.games.symmetry import Symmetry

ROWS = parameter("rows", 3, least=1, most=10)
COLUMNS = parameter("columns", 3, least=1, most=10)
WIDTH, HEIGHT = 2 * COLUMNS + 1, 2 * ROWS + 1
BOXES = ROWS * COLUMNS
HORIZONTAL = tuple(row * WIDTH + column for row in range(0, HEIGHT, 2) for column in range(1, WIDTH, 2))
VERTICAL = tuple(row * WIDTH + column for row in range(1, HEIGHT, 2) for column in range(0, WIDTH, 2))
EDGE_CELLS = HORIZONTAL + VERTICAL
BOX_CELLS = tuple(row * WIDTH + column for row in range(1, HEIGHT, 2) for column in range(1, WIDTH, 2))
EDGES = len(EDGE_CELLS)
EDGE_WORDS, BOX_WORDS = -(-EDGES // 64), -(-BOXES // 64)  # of a set: bit i of word w is number 64 * w + i

GRID = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
TURNS = tuple(  # the cells after each reflection of the board, and if it is a square also after each quarter turn
    tuple(int(cell) for cell in grid[::down, ::across].ravel())
    for grid in ((GRID, GRID.T) if ROWS == COLUMNS else (GRID,))
    for down in (1, -1)
    for across in (1, -1)
)

GAME = Game(
    env_id="dots",
    display_name="Dots and Boxes",
    description="Close a box to own it and move again; most boxes at the end wins.",
    width=WIDTH,
    height=HEIGHT,
    num_actions=EDGES,
    state_words=FLAGS + 1 + EDGE_WORDS + BOX_WORDS,
    max_plies=EDGES,
    symmetries=tuple(Symmetry(turn, tuple(EDGE_CELLS.index(turn[cell]) for cell in EDGE_CELLS)) for turn in TURNS),
    key_words=FLAGS + 1 + EDGE_WORDS,
    features=2 * BOXES,
    seats=Seats(
        codes=(0, 2, 1, 3),
        planes=(0, 1),  # they show nobody's property
        features=(*range(BOXES, 2 * BOXES), *range(BOXES)),
    ),
    typical_plies=EDGES,
    player_names=("Red", "Blue"),
    player_symbols=("R", "B"),
    symbols=".RB#",
    board_type="edges",
    action_cells=tuple((cell,) for cell in EDGE_CELLS),
)

DRAWN = 3  # the code of an edge that is drawn, by whomever
LEAD = FLAGS  # BOXES + the first player's boxes - the second player's
LINES = LEAD + 1  # the edges that are drawn
OWNED = LINES + EDGE_WORDS  # the first player's boxes
ONE = np.uint64(1)
CELL_OF_EDGE, CELL_OF_BOX = np.array(EDGE_CELLS), np.array(BOX_CELLS)
# The four edges of each box, and the one or two boxes of each edge; -1: no second one.
EDGES_OF_BOX = np.array([[EDGE_CELLS.index(cell + to) for to in (-WIDTH, -1, 1, WIDTH)] for cell in BOX_CELLS])
BOXES_OF_EDGE = np.array(
    [([box for box in range(BOXES) if edge in EDGES_OF_BOX[box]] + [-1])[:2] for edge in range(EDGES)]
)
ALL_EDGES = np.array([(1 << min(64, EDGES - 64 * word)) - 1 for word in range(EDGE_WORDS)], dtype=np.uint64)


def start(state: State) -> None:
    """No edge is drawn, nobody leads, the first player is to move."""
    state[:] = 0
    state[MOVER] = 1
    state[LEAD] = BOXES


def legal(state: State, mask: Mask) -> None:
    """Every edge that is not drawn."""
    for word in range(EDGE_WORDS):
        drawn = state[LINES + word]
        for edge in range(64 * word, min(64 * word + 64, EDGES)):
            mask[edge] = (drawn >> np.uint64(edge & 63)) & ONE == 0


def play(state: State, action: int) -> None:
    """Draw an edge. The mover owns the boxes that it closes; if there are any, the mover stays."""
    mover = int(state[MOVER])
    state[LINES + (action >> 6)] |= ONE << np.uint64(action & 63)
    closes = False
    for box in BOXES_OF_EDGE[action]:
        if box >= 0 and is_closed(state, box):
            closes = True
            if mover == 1:
                state[OWNED + (box >> 6)] |= ONE << np.uint64(box & 63)
                state[LEAD] += ONE
            else:
                state[LEAD] -= ONE
    if all_drawn(state):
        lead = int(state[LEAD])
        state[WINNER] = FIRST if lead > BOXES else SECOND if lead < BOXES else DRAW
    elif not closes:
        state[MOVER] = 3 - mover


def is_drawn(state: State, edge: int) -> bool:
    """Whether an edge is drawn."""
    return bool((state[LINES + (edge >> 6)] >> np.uint64(edge & 63)) & ONE != 0)


def is_closed(state: State, box: int) -> bool:
    """Whether all four edges of a box are drawn."""
    for edge in EDGES_OF_BOX[box]:
        if not is_drawn(state, edge):
            return False
    return True


def all_drawn(state: State) -> bool:
    """Whether no edge is left."""
    for word in range(EDGE_WORDS):
        if state[LINES + word] != ALL_EDGES[word]:
            return False
    return True


def cells(state: State, board: Board) -> None:
    """The edges that are drawn, and the owners of the closed boxes; dots are 0."""
    board[:] = 0
    for edge in range(EDGES):
        if is_drawn(state, edge):
            board[CELL_OF_EDGE[edge]] = DRAWN
    for box in range(BOXES):
        if is_closed(state, box):
            board[CELL_OF_BOX[box]] = FIRST if is_owned(state, box) else SECOND


def is_owned(state: State, box: int) -> bool:
    """Whether a closed box is the first player's."""
    return bool((state[OWNED + (box >> 6)] >> np.uint64(box & 63)) & ONE != 0)


def from_cells(board: Board, state: State) -> None:
    """Read the edges and the owners, and count the boxes."""
    state[LEAD:] = 0
    lead = BOXES
    for edge in range(EDGES):
        if board[CELL_OF_EDGE[edge]] == DRAWN:
            state[LINES + (edge >> 6)] |= ONE << np.uint64(edge & 63)
    for box in range(BOXES):
        owner = board[CELL_OF_BOX[box]]
        if owner == FIRST:
            state[OWNED + (box >> 6)] |= ONE << np.uint64(box & 63)
            lead += 1
        elif owner == SECOND:
            lead -= 1
    state[LEAD] = lead


def features(state: State, out: Board) -> None:
    """Planes: the edges that are drawn, the boxes that are open. Features: the first leads by 1, 2, ... boxes; the second.

    A lead of 2 is also one of 1.
    """
    out[:] = 0
    for edge in range(EDGES):
        out[CELL_OF_EDGE[edge]] = is_drawn(state, edge)
    for box in range(BOXES):
        out[WIDTH * HEIGHT + CELL_OF_BOX[box]] = not is_closed(state, box)
    lead = int(state[LEAD]) - BOXES
    for boxes in range(BOXES):
        out[2 * WIDTH * HEIGHT + boxes] = lead > boxes
        out[2 * WIDTH * HEIGHT + BOXES + boxes] = -lead > boxes


def score(state: State) -> tuple[int, int]:
    """Both players' boxes."""
    owned = [bool(is_owned(state, box)) for box in range(BOXES) if is_closed(state, box)]
    return sum(owned), len(owned) - sum(owned)


def text(state: State) -> str:
    """The board as it is drawn on paper, with the owners' symbols in the boxes."""
    board = np.zeros(WIDTH * HEIGHT, np.uint8)
    cells(state, board)
    lines = []
    for row in range(HEIGHT):
        line = ""
        for column in range(WIDTH):
            code = int(board[row * WIDTH + column])
            if row % 2 == 0:
                line += "+" if column % 2 == 0 else "---" if code == DRAWN else "   "
            else:
                line += ("|" if code == DRAWN else " ") if column % 2 == 0 else f" {GAME.cell_symbols[code]} "
        lines.append(line.replace(".", " ").rstrip())
    return "\n".join(lines)
