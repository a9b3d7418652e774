"""Gardner's minichess: chess on 5x5, with no double steps, no castling and no taking en passant.

Cell index: row * 5 + column, row 0 is White's back rank at the BOTTOM, so cell 0 is a1. An action is a pair of cells that a
queen or a knight could move between, `from` ascending, then `to`. A pawn's move to the last rank has three more actions
right behind it: it promotes to a queen by the first, to a rook, a bishop or a knight by the others.

Checkmate wins. Stalemate is a draw; so is a position that occurs for the third time, and a game in which nothing was taken
and no pawn moved for 100 plies, or that has lasted for `plies` plies.
"""

import numpy as np

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Board, Game, Mask, Moves, Seats, State
from trainer.games.parameters import parameter

PLIES = parameter("plies", 200, least=10, most=2000)
QUIET_PLIES = 100

SIDE = 5
CELLS = 25
PAWN, KNIGHT, BISHOP, ROOK, QUEEN, KING = range(6)
LETTERS = "PNBRQK"
# Code 0 is empty; piece k of White has code 2k + 1, the same piece of Black code 2k + 2.
SYMBOLS = "." + "".join(letter + letter.lower() for letter in LETTERS)


def on_board(row: int, column: int) -> bool:
    """Whether there is such a cell."""
    return 0 <= row < SIDE and 0 <= column < SIDE


def reached(cell: int, steps: tuple[tuple[int, int], ...], most: int = 1) -> list[int]:
    """The cells that up to `most` of one of the steps (rows, columns) lead to on an empty board."""
    row, column = divmod(cell, SIDE)
    places = [(row + n * up, column + n * right) for up, right in steps for n in range(1, most + 1)]
    return [up * SIDE + right for up, right in places if on_board(up, right)]


def as_bits(cells: list[int]) -> int:
    """A set of cells: bit i is cell i."""
    return sum(1 << cell for cell in set(cells))


ALONG = ((0, 1), (1, 0), (1, 1), (1, -1))  # a row, a column, a diagonal, the other diagonal
KING_STEPS = tuple(step for up, right in ALONG for step in ((up, right), (-up, -right)))
KNIGHT_STEPS = tuple((up, right) for up in (-2, -1, 1, 2) for right in (-2, -1, 1, 2) if abs(up) != abs(right))
FORWARD = (1, -1)  # rows, for White and for Black

# The actions: a list of (from, to, what a pawn becomes that arrives on the last rank).
LIST = tuple(
    (start_cell, end, piece)
    for start_cell in range(CELLS)
    for end in sorted(reached(start_cell, KING_STEPS, 4) + reached(start_cell, KNIGHT_STEPS))
    for piece in (
        (QUEEN, ROOK, BISHOP, KNIGHT)
        if (start_cell // SIDE, end // SIDE) in ((3, 4), (1, 0)) and abs(start_cell % SIDE - end % SIDE) < 2
        else (QUEEN,)
    )
)


def flipped(cell: int) -> int:
    """The cell as Black sees it."""
    return (SIDE - 1 - cell // SIDE) * SIDE + cell % SIDE


GAME = Game(
    env_id="minichess",
    display_name="Minichess",
    description="Chess on a 5x5 board (Gardner's).",
    width=SIDE,
    height=SIDE,
    num_actions=len(LIST),
    state_words=23,
    max_plies=PLIES,
    flag_words=2,
    raw_words=16,
    key_words=7,  # all but the counts and the history; what the network sees of those is in the flags
    planes=12,
    features=5,
    seats=Seats(
        cells=tuple(flipped(cell) for cell in range(CELLS)),
        codes=(0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11),
        actions=tuple(LIST.index((flipped(begin), flipped(end), piece)) for begin, end, piece in LIST),
    ),
    # A queen has 16 moves from the middle, 14 from the eight cells around it, 12 from the edge. No piece has more there, and
    # a side has at most six queens and a rook, bishop, knight and king. All on their best cells, in nobody's way: six queens
    # around the middle 84, the knight in the middle 8, bishop and king around it 6 and 8, the rook anywhere 8.
    max_moves=114,
    typical_plies=60,
    player_names=("White", "Black"),
    player_symbols=("W", "B"),
    symbols=SYMBOLS,
    board_type="pieces",
    bottom_row_first=True,
    action_cells=tuple((begin, end) for begin, end, _ in LIST),
)

REPEATED = FLAGS  # 1: this position has occurred once before
HURRY = FLAGS + 1  # how many of the numbers in SOON are at least the plies that are left until the game is drawn
SOON = np.array([40, 20, 10, 5], np.int64)

# Three words of two sets of cells each, one in the lower half and one in the upper: White's and Black's pieces; pawns and
# knights; those that move along diagonals and those that move straight. A queen does both; a king is in none but the first.
SIDES, PIECES, LINES = FLAGS + 2, FLAGS + 3, FLAGS + 4
HALF = 32
LOWER, UPPER = 1, 1 << HALF
BOTH = LOWER | UPPER
BOARD = (1 << CELLS) - 1
PIECE_BITS = np.array([LOWER, UPPER, 0, 0, 0, 0], np.int64)
LINE_BITS = np.array([0, 0, LOWER, UPPER, BOTH, 0], np.int64)
PIECE_OF = np.array([KING, PAWN, KNIGHT, KING, BISHOP, 0, 0, 0, ROOK, 0, 0, 0, QUEEN, 0, 0, 0], np.int64)

# Raw words: the plies since a capture or a pawn's move, with those of the game 16 bits higher; then the actions of the
# former, oldest first, seven in a word.
COUNTS, HISTORY = FLAGS + 5, FLAGS + 6
PLY = 1 << 16
ACTION_BITS = 9
PER_WORD = 7
HISTORY_WORDS = 15

FROM = np.array([begin for begin, _, _ in LIST], np.int64)
TO = np.array([end for _, end, _ in LIST], np.int64)
PROMOTION = np.array([piece for _, _, piece in LIST], np.int64)
MOVED = (1 << FROM) | (1 << TO)
ACTION = np.zeros((CELLS, CELLS), np.int64)
for each, (begin, end, piece) in enumerate(LIST):
    if piece == QUEEN:
        ACTION[begin, end] = each

KNIGHT_REACH = np.array([as_bits(reached(cell, KNIGHT_STEPS)) for cell in range(CELLS)], np.int64)
KING_REACH = np.array([as_bits(reached(cell, KING_STEPS)) for cell in range(CELLS)], np.int64)
PAWN_STEP = np.array([[as_bits(reached(cell, ((up, 0),))) for cell in range(CELLS)] for up in FORWARD], np.int64)
PAWN_TAKES = np.array(
    [[as_bits(reached(cell, ((up, -1), (up, 1)))) for cell in range(CELLS)] for up in FORWARD], np.int64
)

# A rook, bishop or queen sees along a line to the first piece on it. The pieces on a line, as a number of five bits, are the
# index of a table. A product gathers those bits: that of a row or diagonal is the sum of all rows, which has one bit of the
# line in each column. A column's bits are 5 apart; bit i is moved up by 24 - 4i, less the number of the column.
LINE = np.array(
    [[as_bits([cell, *reached(cell, ((u, r), (-u, -r)), 4)]) for cell in range(CELLS)] for u, r in ALONG], np.int64
)
ADD_ROWS = sum(1 << (SIDE * row) for row in range(SIDE))
TURN = np.array([sum(1 << (24 - 4 * row - cell % SIDE) for row in range(SIDE)) for cell in range(CELLS)], np.int64)


def seen_along(cell: int, along: int, pattern: int) -> int:
    """The cells seen along a line whose pieces are the bits of `pattern`, by row on a column, else by column."""
    seen = []
    for sign in (1, -1):
        for there in reached(cell, ((sign * ALONG[along][0], sign * ALONG[along][1]),), 4):
            seen.append(there)
            if pattern >> (there // SIDE if along == 1 else there % SIDE) & 1:
                break
    return as_bits(seen)


SEEN = np.array(
    [
        [[seen_along(cell, along, pattern) for pattern in range(1 << SIDE)] for cell in range(CELLS)]
        for along in range(4)
    ],
    np.int64,
)


def line_between(here: int, there: int, whole: bool) -> int:
    """The cells between two cells on a line; or the whole line through them. None if no line goes through both."""
    for along in range(4):
        if here != there and LINE[along, here] >> there & 1:
            ends = (1 << max(here, there)) - (2 << min(here, there))
            return int(LINE[along, here]) & (BOARD if whole else ends)
    return 0


BETWEEN = np.array([[line_between(a, b, whole=False) for b in range(CELLS)] for a in range(CELLS)], np.int64)
THROUGH = np.array([[line_between(a, b, whole=True) for b in range(CELLS)] for a in range(CELLS)], np.int64)

# The number of a single bit: the five bits that it shifts to the top of this one of 32 differ for each.
DE_BRUIJN = 0b00000_1_00011_00101_00111_01011_01111_1
NUMBER = np.zeros(32, np.int64)
for each in range(32):
    NUMBER[(DE_BRUIJN << each) >> 27 & 31] = each

FIRST_CODES = tuple(2 * piece + 1 for piece in (ROOK, KNIGHT, BISHOP, QUEEN, KING))
FIRST_BOARD = np.array(
    [*FIRST_CODES, *[2 * PAWN + 1] * 5, *[0] * 5, *[2 * PAWN + 2] * 5, *[code + 1 for code in FIRST_CODES]], np.uint8
)


def start(state: State) -> None:
    """The pieces on the outer ranks, rook, knight, bishop, queen, king from the left, pawns before them; White to move."""
    state[:] = 0
    state[MOVER] = 1
    state[HURRY] = hurry(min(QUIET_PLIES, PLIES))
    from_cells(FIRST_BOARD, state)


def moves(state: State, found: Moves) -> int:
    """Every move after which the mover's king is not attacked."""
    if state[WINNER] != OPEN:
        return 0
    mover = number(state[MOVER])
    sides, pieces, lines = number(state[SIDES]), number(state[PIECES]), number(state[LINES])
    own, other = sides_of(sides, mover)
    king = first_of(kings(pieces, lines) & own)
    allowed, pinned = defence(king, own, other, pieces, lines, mover)
    count, left = 0, own
    while left != 0:
        cell = first_of(left)
        left &= left - 1
        reach = targets(cell, king, own, other, pieces, lines, mover, allowed, pinned)
        promotes = pieces >> cell & 1 != 0 and cell // SIDE == (3 if mover == 1 else 1)
        while reach != 0:
            action = int(ACTION[cell, first_of(reach)])
            reach &= reach - 1
            found[count] = action
            count += 1
            if promotes:
                for further in range(1, 4):
                    found[count] = action + further
                    count += 1
    return count


def play(state: State, action: int) -> None:
    """Move a piece, take what is there, promote a pawn; then see whether the game is over."""
    mover = number(state[MOVER])
    sides, pieces, lines = number(state[SIDES]), number(state[PIECES]), number(state[LINES])
    counts = number(state[COUNTS])
    quiet, ply = counts % PLY + 1, counts // PLY + 1
    begin, end = int(FROM[action]), int(TO[action])
    if (pieces >> begin | sides >> end | sides >> (end + HALF)) & 1 != 0:
        quiet = 0
        for word in range(HISTORY_WORDS):
            state[HISTORY + word] = 0
    else:
        word, place = HISTORY + (quiet - 1) // PER_WORD, ACTION_BITS * ((quiet - 1) % PER_WORD)
        state[word] = number(state[word]) | int(action) << place
    sides, pieces, lines = after(sides, pieces, lines, action)
    state[SIDES], state[PIECES], state[LINES] = sides, pieces, lines
    state[COUNTS] = quiet + PLY * ply
    seen_before = occurrences(state, sides, pieces, lines, quiet)
    plies_left = min(QUIET_PLIES - quiet, PLIES - ply)
    state[REPEATED] = min(seen_before, 1)
    state[HURRY] = hurry(plies_left)
    other, own = sides_of(sides, mover)  # as the player sees them who is to move now
    king = first_of(kings(pieces, lines) & own)
    allowed, pinned = defence(king, own, other, pieces, lines, 3 - mover)
    if not can_move(king, own, other, pieces, lines, 3 - mover, allowed, pinned):
        state[WINNER] = DRAW if allowed == BOARD else mover
    elif seen_before == 2 or plies_left == 0:
        state[WINNER] = DRAW
    else:
        state[MOVER] = 3 - mover


def wins_next(state: State, mask: Mask) -> bool:
    """Whether a move of `mask` is checkmate."""
    mover = number(state[MOVER])
    sides, pieces, lines = number(state[SIDES]), number(state[PIECES]), number(state[LINES])
    for action in range(len(mask)):
        if mask[action]:
            next_sides, next_pieces, next_lines = after(sides, pieces, lines, action)
            other, own = sides_of(next_sides, mover)
            king = first_of(kings(next_pieces, next_lines) & own)
            if attackers(king, own | other, other, next_pieces, next_lines, 3 - mover) != 0:
                allowed, pinned = defence(king, own, other, next_pieces, next_lines, 3 - mover)
                if not can_move(king, own, other, next_pieces, next_lines, 3 - mover, allowed, pinned):
                    return True
    return False


def number(word: np.uint64) -> int:
    """A word below 2^63 as a signed number, which is what all arithmetic here is done with."""
    return int(np.int64(word))


def sides_of(sides: int, mover: int) -> tuple[int, int]:
    """The pieces of a player and of the opponent."""
    first, second = sides & BOARD, sides >> HALF
    return (first, second) if mover == 1 else (second, first)


def kings(pieces: int, lines: int) -> int:
    """The cells with a king or with nothing."""
    return ~(pieces | pieces >> HALF | lines | lines >> HALF) & BOARD


def first_of(cells: int) -> int:
    """The lowest of a set of cells that is not empty."""
    return int(NUMBER[((cells & -cells) * DE_BRUIJN) >> 27 & 31]) & 31


def straight(cell: int, occupied: int) -> int:
    """What a rook sees."""
    row = (occupied & int(LINE[0, cell])) * ADD_ROWS >> 20 & 31
    column = (occupied & int(LINE[1, cell])) * int(TURN[cell]) >> 24 & 31
    return int(SEEN[0, cell, row]) | int(SEEN[1, cell, column])


def diagonal(cell: int, occupied: int) -> int:
    """What a bishop sees."""
    rising = (occupied & int(LINE[2, cell])) * ADD_ROWS >> 20 & 31
    falling = (occupied & int(LINE[3, cell])) * ADD_ROWS >> 20 & 31
    return int(SEEN[2, cell, rising]) | int(SEEN[3, cell, falling])


def attackers(cell: int, occupied: int, other: int, pieces: int, lines: int, mover: int) -> int:
    """The opponent's pieces that attack a cell, if the cells `occupied` block their lines."""
    found = int(KNIGHT_REACH[cell]) & pieces >> HALF | int(PAWN_TAKES[mover - 1, cell]) & pieces
    found |= straight(cell, occupied) & lines >> HALF | diagonal(cell, occupied) & lines
    found |= int(KING_REACH[cell]) & kings(pieces, lines)
    return found & other


def defence(king: int, own: int, other: int, pieces: int, lines: int, mover: int) -> tuple[int, int]:
    """The cells where a piece other than the king may arrive, all if there is no check; and the pieces that are pinned."""
    checks = attackers(king, own | other, other, pieces, lines, mover)
    allowed = BOARD
    if checks & (checks - 1) != 0:
        allowed = 0
    elif checks != 0:
        allowed = checks | int(BETWEEN[king, first_of(checks)])
    pinned = 0
    facing = (straight(king, other) & lines >> HALF | diagonal(king, other) & lines) & other
    while facing != 0:
        shield = int(BETWEEN[king, first_of(facing)]) & own
        facing &= facing - 1
        if shield & (shield - 1) == 0:
            pinned |= shield
    return allowed, pinned


def targets(
    cell: int, king: int, own: int, other: int, pieces: int, lines: int, mover: int, allowed: int, pinned: int
) -> int:
    """The cells that the mover's piece on `cell` may move to."""
    occupied = own | other
    if cell == king:
        left, safe = int(KING_REACH[cell]) & ~own, 0
        while left != 0:
            if attackers(first_of(left), occupied ^ 1 << cell, other, pieces, lines, mover) == 0:
                safe |= left & -left
            left &= left - 1
        return safe
    reach = 0
    if pieces >> cell & 1 != 0:
        reach = int(PAWN_STEP[mover - 1, cell]) & ~other | int(PAWN_TAKES[mover - 1, cell]) & other
    elif pieces >> (cell + HALF) & 1 != 0:
        reach = int(KNIGHT_REACH[cell])
    else:
        if lines >> cell & 1 != 0:
            reach = diagonal(cell, occupied)
        if lines >> (cell + HALF) & 1 != 0:
            reach |= straight(cell, occupied)
    if pinned >> cell & 1 != 0:
        reach &= int(THROUGH[king, cell])
    return reach & ~own & allowed


def can_move(king: int, own: int, other: int, pieces: int, lines: int, mover: int, allowed: int, pinned: int) -> bool:
    """Whether the mover has a move."""
    left = own
    while left != 0:
        if targets(first_of(left), king, own, other, pieces, lines, mover, allowed, pinned) != 0:
            return True
        left &= left - 1
    return False


def after(sides: int, pieces: int, lines: int, action: int) -> tuple[int, int, int]:
    """The three words of the board after an action."""
    begin, end = int(FROM[action]), int(TO[action])
    keep = ~(BOTH << end)
    sides = exchanged(sides & keep, begin, end)
    pieces = exchanged(pieces & keep, begin, end)
    lines = exchanged(lines & keep, begin, end)
    if pieces >> end & 1 != 0 and (end < SIDE or end >= CELLS - SIDE):
        piece = int(PROMOTION[action])
        pieces = pieces ^ 1 << end | int(PIECE_BITS[piece]) << end
        lines |= int(LINE_BITS[piece]) << end
    return sides, pieces, lines


def exchanged(word: int, one: int, two: int) -> int:
    """A word with the contents of two cells exchanged, in both halves; that moves a piece to an empty cell, and back."""
    differ = (word >> one ^ word >> two) & BOTH
    return word ^ (differ << one | differ << two)


def occurrences(state: State, sides: int, pieces: int, lines: int, quiet: int) -> int:
    """How often the position has occurred before. The last `quiet` moves are taken back, first only as sets of cells."""
    found, differ, upper = 0, 0, 0
    for back in range(1, quiet + 1):
        differ ^= int(MOVED[past_action(state, quiet - back)]) << upper
        upper ^= HALF
        if differ == 0 and upper == 0 and same_pieces(state, pieces, lines, quiet, back):
            found += 1
    return found


def same_pieces(state: State, pieces: int, lines: int, quiet: int, back: int) -> bool:
    """Whether each cell had the same kind of piece `back` moves ago, if each had a piece of the same player."""
    was_pieces, was_lines = pieces, lines
    for at in range(quiet - 1, quiet - 1 - back, -1):
        action = past_action(state, at)
        begin, end = int(FROM[action]), int(TO[action])
        was_pieces, was_lines = exchanged(was_pieces, begin, end), exchanged(was_lines, begin, end)
    return was_pieces == pieces and was_lines == lines


def past_action(state: State, at: int) -> int:
    """Action number `at` of the history."""
    return number(state[HISTORY + at // PER_WORD]) >> ACTION_BITS * (at % PER_WORD) & ((1 << ACTION_BITS) - 1)


def hurry(plies_left: int) -> int:
    """How near the end by one of the two counts is."""
    reached = 0
    for soon in SOON:
        if plies_left <= soon:
            reached += 1
    return reached


def cells(state: State, board: Board) -> None:
    """Read the board cell by cell."""
    sides, pieces, lines = number(state[SIDES]), number(state[PIECES]), number(state[LINES])
    for cell in range(CELLS):
        first, second = sides >> cell & 1, sides >> (cell + HALF) & 1
        kind = pieces >> cell & 1 | (pieces >> (cell + HALF) & 1) << 1
        kind |= (lines >> cell & 1) << 2 | (lines >> (cell + HALF) & 1) << 3
        board[cell] = 2 * int(PIECE_OF[kind]) + first + 2 * second if first | second != 0 else 0


def from_cells(board: Board, state: State) -> None:
    """Set the pieces cell by cell."""
    sides, pieces, lines = 0, 0, 0
    for cell in range(CELLS):
        code = int(board[cell])
        if code != 0:
            piece = (code - 1) // 2
            sides |= (LOWER if code % 2 == 1 else UPPER) << cell
            pieces |= int(PIECE_BITS[piece]) << cell
            lines |= int(LINE_BITS[piece]) << cell
    state[SIDES], state[PIECES], state[LINES] = sides, pieces, lines


def features(state: State, out: Board) -> None:
    """A plane for each kind of piece and player; whether the position occurred before; how near the end by a count is."""
    for i in range(len(out)):
        out[i] = 0
    cells(state, out)
    for cell in range(CELLS):  # the first plane holds the codes until they are read
        code = int(out[cell])
        out[cell] = 0
        if code != 0:
            out[(code - 1) * CELLS + cell] = 1
    out[12 * CELLS] = state[REPEATED]
    for i in range(len(SOON)):
        out[12 * CELLS + 1 + i] = i < number(state[HURRY])


def name(state: State, action: int) -> str:
    """From and to, and what a pawn becomes: e2e3, a4a5q."""
    begin, end, piece = LIST[action]
    promotes = number(state[PIECES]) >> begin & 1 and end // SIDE in (0, SIDE - 1)
    written = "".join("abcde"[cell % SIDE] + str(cell // SIDE + 1) for cell in (begin, end))
    return written + LETTERS[piece].lower() if promotes else written


def text(state: State) -> str:
    """The board with its ranks and files, White's pieces as capitals."""
    board = np.zeros(CELLS, np.uint8)
    cells(state, board)
    ranks = [
        f"{row + 1} {' '.join(SYMBOLS[code] for code in board[row * SIDE : row * SIDE + SIDE])}" for row in range(SIDE)
    ]
    return "\n".join([*reversed(ranks), "  a b c d e"])
