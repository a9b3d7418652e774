"""Go: chains without liberties are captured, the larger area wins; a board position must not recur (positional superko).

Parameters: `size` of the board, and `half_komi`, the compensation for moving second in half points (15: 7.5 points).

Cell index: row * SIZE + column, row 0 at the top. Action SIZE * SIZE is the pass. Two passes in a row end the game, and so
does ply LONGEST. Then the board is scored as it is, by Tromp and Taylor: a player's stones, and the empty points from which
only that player's stones can be reached. Suicide is illegal, and so is a stone that restores a board of the last MEMORY
plies; on boards up to 5x5 that is the whole game.

The komi belongs to the player who didn't make the first move.
"""

import numpy as np

from trainer.games.base import DRAW, FIRST, FLAGS, MOVER, OPEN, SECOND, WINNER, Board, Game, Mask, Seats, State
from trainer.games.parameters import parameter
from trainer.games.symmetry import square_symmetries

SIZE = parameter("size", 9, least=2, most=19)
HALF_KOMI = parameter("half_komi", 15, least=-722, most=722)
POINTS = SIZE * SIZE
PASS = POINTS
LONGEST = max(2 * POINTS, 40)  # 2 * POINTS is too short for good play on the smallest boards
MEMORY = min(LONGEST, 64)

# Sets of points are bitboards of WORDS words. A word has ROWS whole rows, with a gap of one bit after each, so that a step
# to the left or right never arrives in another row, or in another word.
STEP = SIZE + 1
ROWS = min(SIZE, 64 // STEP)
WORDS = -(-SIZE // ROWS)
# The words of a position. AFTER_PASS is OPEN unless the last move was a pass; then it is who would win by another one.
AFTER_PASS = FLAGS
SETS = FLAGS + 1  # set k: the points of code k; set 0 are the empty ones
IN_ATARI = SETS + 3 * WORDS  # the stones, of both players, whose chain has a single liberty
WORK = IN_ATARI + WORDS  # a set for the functions to work with, empty between their calls
REPEATS = WORK + WORDS  # the points where a stone of the mover would repeat a board
PLY = REPEATS + WORDS  # how many moves were made
# The words from here on matter for REPEATS in later positions only.
EMPTIED = PLY + 1  # two sets: the points at which stones of the first player, and of the second, were captured
HISTORY = EMPTIED + 2 * WORDS  # hashes of the boards, that of ply p in word p % MEMORY

PLANES = 5
SOON = np.array([1, 2, 4, 8, 16])
GAME = Game(
    env_id="go",
    display_name="Go",
    description="Surround empty points and opposing stones; the larger area wins.",
    width=SIZE,
    height=SIZE,
    num_actions=POINTS + 1,
    state_words=HISTORY + MEMORY,
    max_plies=LONGEST,
    symmetries=square_symmetries(SIZE, further_actions=1),
    flag_words=1,
    raw_words=HISTORY + MEMORY - REPEATS,
    key_words=EMPTIED,
    planes=PLANES,
    features=5 + len(SOON),
    seats=Seats(features=(1, 0, 3, 2, *range(4, 5 + len(SOON)))),
    typical_plies=2 * POINTS // 3,
    player_names=("Black", "White"),
    player_symbols=("X", "O"),
    board_type="points",
)

ONE = np.uint64(1)
NONE = np.uint64(0)
DOWN = np.uint64(STEP)
WORD_DOWN = np.uint64(STEP * (ROWS - 1))  # from the last row of a word to the first row of the next
# The remainders of all powers of two below 2^66 by 67 differ, so a table can be indexed by that of a bit.
PRIME = np.uint64(67)
COLUMNS = "ABCDEFGHJKLMNOPQRST"

WORD = np.array([point // SIZE // ROWS for point in range(POINTS)])
BIT = np.array([1 << (point // SIZE % ROWS * STEP + point % SIZE) for point in range(POINTS)], dtype=np.uint64)
FULL = np.array([sum(int(bit) for bit in BIT[word == WORD]) for word in range(WORDS)], dtype=np.uint64)


def neighbours(point: int) -> list[int]:
    """The points above, to the left, to the right and below; -1 where the board ends."""
    row, column = divmod(point, SIZE)
    return [
        point - SIZE if row > 0 else -1,
        point - 1 if column > 0 else -1,
        point + 1 if column < SIZE - 1 else -1,
        point + SIZE if row < SIZE - 1 else -1,
    ]


def random_words(count: int) -> list[int]:
    """Random 64-bit numbers, the same ones everywhere: xorshift64* (Vigna 2016)."""
    numbers, seed = [], 0x9E3779B97F4A7C15
    for _ in range(count):
        seed ^= seed >> 12
        seed ^= seed << 25 & (1 << 64) - 1
        seed ^= seed >> 27
        numbers.append(seed * 0x2545F4914F6CDD1D & (1 << 64) - 1)
    return numbers


NEIGHBOURS = np.array([neighbours(point) for point in range(POINTS)])
# By the word and the remainder of a bit: its point, and its part of a board's hash for a stone of either player.
POINT = np.zeros((WORDS, 67), np.int64)
KEYS = np.zeros((2, WORDS, 67), np.uint64)
POINT[WORD, (BIT % PRIME).astype(np.int64)] = np.arange(POINTS)
KEYS[:, WORD, (BIT % PRIME).astype(np.int64)] = np.array(random_words(2 * POINTS), np.uint64).reshape(2, POINTS)


def start(state: State) -> None:
    """An empty board, the first player to move."""
    for word in range(len(state)):
        state[word] = 0
    state[MOVER] = 1
    for word in range(WORDS):
        state[SETS + word] = FULL[word]


def legal(state: State, mask: Mask) -> None:
    """The pass, and every empty point where a stone is no suicide and repeats no board, until the game is over.

    A stone is no suicide next to an empty point, to an own chain with another liberty, or to a chain that it captures.
    """
    mover = int(np.int64(state[MOVER]))
    under_way = state[WINNER] == OPEN
    for word in range(WORDS):
        before = safe(state, mover, word - 1) if word > 0 else NONE
        after = safe(state, mover, word + 1) if word + 1 < WORDS else NONE
        places = state[SETS + word] & adjacent(before, safe(state, mover, word), after) & ~state[REPEATS + word]
        if not under_way:
            places = NONE
        for row in range(word * ROWS, min(word * ROWS + ROWS, SIZE)):
            for column in range(SIZE):
                mask[row * SIZE + column] = (places >> np.uint64((row - word * ROWS) * STEP + column)) & ONE != 0
    mask[PASS] = under_way


def safe(state: State, mover: int, word: int) -> np.uint64:
    """A word of the set of points next to which a stone has a liberty."""
    own, other = state[SETS + mover * WORDS + word], state[SETS + (3 - mover) * WORDS + word]
    in_atari = state[IN_ATARI + word]
    return np.uint64(state[SETS + word] | (own & ~in_atari) | (other & in_atari))


def play(state: State, action: int) -> None:
    """Place a stone and take what it captures, or pass."""
    mover = int(np.int64(state[MOVER]))
    ply = int(np.int64(state[PLY]))
    board = state[HISTORY + ply % MEMORY]
    if action == PASS:
        if state[AFTER_PASS] != OPEN:
            state[WINNER] = state[AFTER_PASS]
        else:
            state[AFTER_PASS] = result(state, starter(mover, ply))
    else:
        state[AFTER_PASS] = OPEN
        board ^= place(state, mover, action)
    if ply + 1 == LONGEST and state[WINNER] == OPEN:
        state[WINNER] = result(state, starter(mover, ply))
    state[PLY] = ply + 1
    state[HISTORY + (ply + 1) % MEMORY] = board
    for word in range(WORDS):
        state[REPEATS + word] = NONE
    if state[WINNER] == OPEN:
        state[MOVER] = 3 - mover
        find_repeats(state, 3 - mover, board)
    clear_work(state)


def place(state: State, mover: int, point: int) -> np.uint64:
    """Put a stone on an empty point, remove what it captures, and say which chains are in atari.

    Returns the change of the board's hash.
    """
    word, bit, other = int(WORD[point]), BIT[point], 3 - mover
    state[SETS + word] &= ~bit
    state[SETS + mover * WORDS + word] |= bit
    change = KEYS[mover - 1, word, int(np.int64(bit % PRIME))]
    clear_work(state)
    if mark_captured(state, other, point):
        grow(state, other)
        change ^= hash_of_work(state, other)
        remove_work(state, other)
    for side in range(4):
        next_to = int(NEIGHBOURS[point, side])
        if next_to >= 0 and has(state, SETS + other * WORDS, next_to) and not has(state, IN_ATARI, next_to):
            update_atari(state, other, next_to)
    update_atari(state, mover, point)
    spread_safety(state, mover)
    return np.uint64(change)


def has(state: State, at: int, point: int) -> bool:
    """Whether a point is in the set of words from `at` on."""
    return bool(state[at + int(WORD[point])] & BIT[point] != 0)


def mark_captured(state: State, other: int, point: int) -> bool:
    """Add the neighbours that belong to chains of `other` in atari to WORK; returns whether there are any."""
    found = False
    for side in range(4):
        next_to = int(NEIGHBOURS[point, side])
        if next_to >= 0 and has(state, SETS + other * WORDS, next_to) and has(state, IN_ATARI, next_to):
            state[WORK + int(WORD[next_to])] |= BIT[next_to]
            found = True
    return found


def remove_work(state: State, code: int) -> None:
    """Take the stones in WORK from the board. The chains of the other player next to them have two liberties or more."""
    for word in range(WORDS):
        freed = spread(state, WORK, word) & state[SETS + (3 - code) * WORDS + word]
        gone = state[WORK + word]
        state[SETS + word] |= gone
        state[SETS + code * WORDS + word] &= ~gone
        state[IN_ATARI + word] &= ~(gone | freed)
        state[EMPTIED + (code - 1) * WORDS + word] |= gone


def update_atari(state: State, code: int, point: int) -> None:
    """Add the chain at a point to those in atari if it has a single liberty; else take out the point, but no more of it."""
    clear_work(state)
    state[WORK + int(WORD[point])] = BIT[point]
    if liberties(state, code) == 1:
        for word in range(WORDS):
            state[IN_ATARI + word] |= state[WORK + word]
    else:
        state[IN_ATARI + int(WORD[point])] &= ~BIT[point]


def spread_safety(state: State, code: int) -> None:
    """Take all stones from the set of those in atari that are in one chain with a stone which isn't in it."""
    changed = True
    while changed:
        changed = False
        for word in range(WORDS):
            own = SETS + code * WORDS
            doubtful = state[own + word] & state[IN_ATARI + word]
            if doubtful != 0:
                before = state[own + word - 1] & ~state[IN_ATARI + word - 1] if word > 0 else NONE
                after = state[own + word + 1] & ~state[IN_ATARI + word + 1] if word + 1 < WORDS else NONE
                out = doubtful & adjacent(before, state[own + word] & ~state[IN_ATARI + word], after)
                if out != 0:
                    state[IN_ATARI + word] &= ~out
                    changed = True


def liberties(state: State, code: int) -> int:
    """The number of liberties of the chain of which WORK has a part: 0, 1, or 2 for two or more.

    If it is less than 2, WORK has the whole chain afterwards.
    """
    while True:
        found = 0
        for word in range(WORDS):
            free = spread(state, WORK, word) & state[SETS + word]
            if free != 0:
                found += 1 if free & (free - ONE) == 0 else 2
        if found > 1:
            return 2
        if not grow_once(state, code):
            return found


def grow(state: State, code: int) -> None:
    """Add all points of code `code` to WORK that are connected with it."""
    while grow_once(state, code):
        pass


def grow_once(state: State, code: int) -> bool:
    """Add the points of code `code` to WORK that are next to it; returns whether there are any."""
    grown = False
    for word in range(WORDS):
        added = spread(state, WORK, word) & state[SETS + code * WORDS + word] & ~state[WORK + word]
        if added != 0:
            state[WORK + word] |= added
            grown = True
    return grown


def spread(state: State, at: int, word: int) -> np.uint64:
    """A word of the points next to a set, those in the gaps and beyond the board included."""
    before = state[at + word - 1] if word > 0 else NONE
    after = state[at + word + 1] if word + 1 < WORDS else NONE
    return adjacent(before, state[at + word], after)


def adjacent(before: np.uint64, here: np.uint64, after: np.uint64) -> np.uint64:
    """The bits of a word that are next to those of a set, of which three words are given."""
    near = (here << ONE) | (here >> ONE) | (here << DOWN) | (here >> DOWN)
    return np.uint64(near | (before >> WORD_DOWN) | (after << WORD_DOWN))


def clear_work(state: State) -> None:
    """Empty WORK."""
    for word in range(WORDS):
        state[WORK + word] = NONE


def hash_of_work(state: State, code: int) -> np.uint64:
    """The part of a board's hash that belongs to the stones in WORK."""
    total = NONE
    for word in range(WORDS):
        left = state[WORK + word]
        while left != 0:
            rest = left & (left - ONE)
            total ^= KEYS[code - 1, word, int(np.int64((left ^ rest) % PRIME))]
            left = rest
    return np.uint64(total)


def find_repeats(state: State, mover: int, board: np.uint64) -> None:
    """Find the points where a stone of the mover would restore a board that HISTORY has; `board` is the hash of this one.

    Such a stone stood there before and was captured.
    """
    for word in range(WORDS):
        left = state[SETS + word] & state[EMPTIED + (mover - 1) * WORDS + word]
        while left != 0:
            rest = left & (left - ONE)
            bit = left ^ rest
            left = rest
            at = int(np.int64(bit % PRIME))
            after = board ^ KEYS[mover - 1, word, at]
            clear_work(state)
            if mark_captured(state, 3 - mover, int(POINT[word, at])):
                grow(state, 3 - mover)
                after ^= hash_of_work(state, 3 - mover)
            known = False
            for i in range(MEMORY):
                known |= bool(state[HISTORY + i] == after)
            if known:
                state[REPEATS + word] |= bit


def starter(mover: int, ply: int) -> int:
    """The player who made the first move, if `mover` makes the one of `ply`."""
    return mover if ply % 2 == 0 else 3 - mover


def result(state: State, first: int) -> int:
    """Who wins if the board is scored now: FIRST, SECOND or DRAW. `first` made the first move, the other gets the komi.

    Empty points from which no stones of the one player can be reached are the other's, unless the board is empty.
    """
    lead = 2 * (area(state, 1) - area(state, 2)) + (-HALF_KOMI if first == 1 else HALF_KOMI)
    return FIRST if lead > 0 else SECOND if lead < 0 else DRAW


def area(state: State, code: int) -> int:
    """The stones of a player and the empty points that the other player's stones don't reach; all, on an empty board."""
    other = SETS + (3 - code) * WORDS
    for word in range(WORDS):
        state[WORK + word] = spread(state, other, word) & state[SETS + word]
    grow(state, 0)
    number = 0
    for word in range(WORDS):
        left = state[SETS + code * WORDS + word] | (state[SETS + word] & ~state[WORK + word])
        while left != 0:
            left &= left - ONE
            number += 1
    return number


def wins_next(state: State, mask: Mask) -> bool:
    """Whether another pass ends the game in favour of the mover. The other ways to win at once are not looked for."""
    return bool(mask[PASS] and state[AFTER_PASS] == state[MOVER])


def cells(state: State, board: Board) -> None:
    """Read the board cell by cell."""
    for point in range(POINTS):
        word, bit = int(WORD[point]), BIT[point]
        first, second = state[SETS + WORDS + word] & bit != 0, state[SETS + 2 * WORDS + word] & bit != 0
        board[point] = 1 if first else 2 if second else 0


def from_cells(board: Board, state: State) -> None:
    """Set the stones cell by cell, and find the chains in atari."""
    for word in range(SETS, REPEATS):
        state[word] = NONE
    for point in range(POINTS):
        state[SETS + int(board[point]) * WORDS + int(WORD[point])] |= BIT[point]
    for point in range(POINTS):
        if board[point] > 0 and not has(state, IN_ATARI, point):
            update_atari(state, int(board[point]), point)
    clear_work(state)


def features(state: State, out: Board) -> None:
    """What the network sees.

    Planes: the first player's stones, the second's; those of the first player's in atari, those of the second's; the points
    where a stone of the mover would repeat a board. Features: the first player gets the komi, the second does; another pass
    lets the first player win, the second; the last move was a pass; at most 1, 2, 4, 8, 16 plies are left.
    """
    for point in range(POINTS):
        word, bit = int(WORD[point]), BIT[point]
        in_atari = state[IN_ATARI + word] & bit != 0
        for player in range(2):
            stone = state[SETS + (player + 1) * WORDS + word] & bit != 0
            out[player * POINTS + point] = stone
            out[(2 + player) * POINTS + point] = stone and in_atari
        out[4 * POINTS + point] = state[REPEATS + word] & bit != 0
    mover, ply = int(np.int64(state[MOVER])), int(np.int64(state[PLY]))
    last = ply if state[WINNER] == OPEN else ply - 1  # in a finished position the mover made the last move
    first = starter(mover, last)
    begin = PLANES * POINTS
    out[begin] = first == 2
    out[begin + 1] = first == 1
    out[begin + 2] = state[AFTER_PASS] == FIRST
    out[begin + 3] = state[AFTER_PASS] == SECOND
    out[begin + 4] = state[AFTER_PASS] != OPEN
    for i in range(len(SOON)):
        out[begin + 5 + i] = LONGEST - ply <= SOON[i]


def score(state: State) -> tuple[float, float]:
    """Both players' areas, with the komi. An empty board is nobody's."""
    last = int(state[PLY]) if state[WINNER] == OPEN else int(state[PLY]) - 1
    second = 3 - starter(int(state[MOVER]), last)
    areas = [float(area(state, code)) for code in (FIRST, SECOND)]
    black, white = areas if sum(areas) <= POINTS else (0.0, 0.0)
    return (black, white + HALF_KOMI / 2) if second == SECOND else (black + HALF_KOMI / 2, white)


def name(state: State, action: int) -> str:
    """A letter for the column, without I, and the row's number, counted from the bottom: D4."""
    return "pass" if action == PASS else f"{COLUMNS[action % SIZE]}{SIZE - action // SIZE}"


def text(state: State) -> str:
    """The board with the names of its rows and columns."""
    board = np.zeros(POINTS, np.uint8)
    cells(state, board)
    rows = [f"{SIZE - row:2} " + " ".join(".XO"[code] for code in board[row * SIZE :][:SIZE]) for row in range(SIZE)]
    return "\n".join([*rows, "   " + " ".join(COLUMNS[:SIZE])])
