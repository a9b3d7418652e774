"""A kernel that counts the legal positions of small Go boards, for tests."""

from __future__ import annotations

from types import ModuleType

from trainer.games.base import Board, State

own: ModuleType
NUM_CELLS: int


def count_legal(state: State, board: Board) -> int:
    """The number of boards on which every chain has a liberty. `board` [cells] begins empty, and counts in base 3."""
    count = 0
    while True:
        count += is_legal(state, board)
        cell = 0
        while cell < NUM_CELLS and board[cell] == 2:
            put(state, board, cell, 0)
            cell += 1
        if cell == NUM_CELLS:
            return count
        put(state, board, cell, board[cell] + 1)


def put(state: State, board: Board, cell: int, code: int) -> None:
    """Change the code of a cell."""
    word, bit = int(own.WORD[cell]), own.BIT[cell]
    state[own.SETS + board[cell] * own.WORDS + word] &= ~bit
    state[own.SETS + code * own.WORDS + word] |= bit
    board[cell] = code


def is_legal(state: State, board: Board) -> bool:
    """Whether every chain has a liberty."""
    for cell in range(NUM_CELLS):
        if board[cell] != 0:
            own.clear_work(state)
            state[own.WORK + int(own.WORD[cell])] = own.BIT[cell]
            if own.liberties(state, int(board[cell])) == 0:
                return False
    return True
