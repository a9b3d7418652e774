"""m,n,k-games: counts and theorems from the literature, lines found by a slower way, and OpenSpiel as a second opinion."""

from __future__ import annotations

import numpy as np
import pytest
from line_counts import lines
from numpy.typing import NDArray
from side_by_side import agree_on_random_games

from trainer.core.errors import GameError
from trainer.games import game_of
from trainer.games.base import DRAW, FIRST, OPEN, SECOND
from trainer.games.kernels import link_kernels
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.solving.exhaustive import ExhaustiveSolver

SIZES = [(3, 3, 3), (5, 5, 4), (4, 7, 5), (16, 8, 4), (15, 15, 5), (19, 19, 5)]
"""Width, height, line: among them boards of one, two, four and six words, and two that are no squares."""


def named(width: int, height: int, line: int) -> str:
    """The name of a game of that size."""
    return f"mnk:width={width},height={height},line={line}"


def test_tic_tac_toe_has_as_many_games_as_were_counted() -> None:
    """255,168 games on 3x3: the first player wins 131,184 of them, the second 77,904, and 46,080 are draws."""
    _, winners = lines(named(3, 3, 3), 9)
    assert winners[[FIRST, SECOND, DRAW]].tolist() == [131_184, 77_904, 46_080]


def test_tic_tac_toe_has_as_many_positions_as_were_counted() -> None:
    """5,478 positions on 3x3, 4,520 of them unfinished."""
    positions = Positions(named(3, 3, 3), 1)
    found = unfinished = 0
    while len(positions.states):
        found += len(positions.states)
        unfinished += int((positions.winner == OPEN).sum())
        positions = positions.of(np.unique(positions.successors()[2].states, axis=0))
    assert (found, unfinished) == (5_478, 4_520)


@pytest.mark.parametrize(("width", "height", "value"), [(3, 3, 0), (4, 3, 1), (3, 4, 1)])
def test_three_in_a_row_is_won_by_the_first_player_unless_the_board_is_3x3(width: int, height: int, value: int) -> None:
    """Every position is visited; 3x3 is a draw."""
    env_id = named(width, height, 3)
    assert np.sign(ExhaustiveSolver(env_id).scores(Positions(env_id, 1)).max()) == value


def boards(width: int, height: int, count: int) -> NDArray[np.uint8]:
    """Random boards [count, height, width] of 0, 1 and 2, sparse ones and dense ones. Few of them could be reached."""
    generator = np.random.default_rng(3)
    share = generator.uniform(0.2, 1, (count, 1, 1))
    stones = generator.random((count, height, width)) < share
    return np.where(stones, generator.integers(1, 3, (count, height, width)), 0).astype(np.uint8)


def longest_through(board: NDArray[np.uint8], row: int, column: int) -> int:
    """The most stones of one player in a row that a stone is part of. It looks at squares, not at bits."""
    height, width = board.shape
    longest = 0
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        length = -1
        for sign in (1, -1):
            r, c = row, column
            while 0 <= r < height and 0 <= c < width and board[r, c] == board[row, column]:
                length += 1
                r, c = r + sign * down, c + sign * right
        longest = max(longest, length)
    return longest


@pytest.mark.parametrize(("width", "height", "line"), SIZES)
def test_a_stone_wins_if_it_is_part_of_a_long_enough_line(width: int, height: int, line: int) -> None:
    """Each empty cell of random boards, for both players; `wins_next` knows it before."""
    rules = link_kernels(named(width, height, line)).rules
    results = {FIRST: 0, SECOND: 0, DRAW: 0, OPEN: 0}
    for board in boards(width, height, max(40, 4000 // (width * height))):
        for mover in (1, 2):
            position = Position.from_bytes(rules, board.tobytes() + bytes([mover, OPEN]))
            assert position.legal == np.flatnonzero(board == 0).tolist()
            won = []
            for action in position.legal:
                after = board.copy()
                row, column = divmod(action, width)
                after[row, column] = mover
                won.append(longest_through(after, row, column) >= line)
                expected = mover if won[-1] else OPEN if (after == 0).any() else DRAW
                assert position.play(action).winner == expected, f"{mover} at {action} of\n{position}"
                results[expected] += 1
            mask = board.ravel() == 0
            assert rules.wins_next(position.state, mask) == any(won), f"{mover} to move in\n{position}"
            for action, wins in zip(position.legal, won, strict=True):
                alone = np.arange(width * height) == action
                assert rules.wins_next(position.state, alone) == wins, f"{mover} at {action} of\n{position}"
    assert min(results[winner] for winner in (FIRST, SECOND, OPEN)) > 20


@pytest.mark.parametrize(("width", "height", "line"), SIZES)
def test_every_line_of_the_board_can_be_completed_at_every_stone(width: int, height: int, line: int) -> None:
    """In each direction, whatever the words in which its stones lie."""
    rules = link_kernels(named(width, height, line)).rules
    lines = 0
    for row in range(height):
        for column in range(width):
            for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                stones = [(row + i * down, column + i * right) for i in range(line)]
                if not all(0 <= r < height and 0 <= c < width for r, c in stones):
                    continue
                lines += 1
                for last in {0, line // 2, line - 1}:
                    board = np.zeros((height, width), np.uint8)
                    for r, c in stones[:last] + stones[last + 1 :]:
                        board[r, c] = 2
                    position = Position.from_bytes(rules, board.tobytes() + bytes([2, OPEN]))
                    r, c = stones[last]
                    assert position.play(r * width + c).winner == SECOND, f"{stones}"
    across, along = width - line + 1, height - line + 1
    assert lines == max(across, 0) * height + max(along, 0) * width + 2 * max(across, 0) * max(along, 0)


def test_a_full_board_without_a_line_is_a_draw() -> None:
    """On 19x19, with the last stone in a corner; stones lie in pairs that alternate from row to row."""
    rules = link_kernels(named(19, 19, 5)).rules
    rows, columns = np.indices((19, 19))
    board = ((columns // 2 + rows) % 2 + 1).astype(np.uint8)
    last = int(board[18, 18])
    board[18, 18] = 0
    position = Position.from_bytes(rules, board.tobytes() + bytes([last, OPEN]))
    assert position.legal == [360]
    assert position.play(360).winner == DRAW


def test_six_in_a_row_win_gomoku() -> None:
    """A longer line is as good as five."""
    position = Position.first(link_kernels(named(15, 15, 5)).rules)
    for action in (17, 100, 18, 102, 19, 104, 21, 106, 22, 108, 20):
        assert position.winner == OPEN
        position = position.play(action)
    assert position.winner == FIRST


def test_the_symmetries_are_those_of_a_square_or_of_a_rectangle() -> None:
    """Eight, or the four that keep the width."""
    assert [len(game_of(named(*size)).symmetries) for size in SIZES] == [8, 8, 4, 4, 8, 8]


@pytest.mark.parametrize("bad", ["width=20", "line=6", "width=3,height=3", "height=2"])
def test_impossible_sizes_are_refused(bad: str) -> None:
    """A board is at most 19x19, and a line at most as long as its longer side."""
    with pytest.raises(GameError, match="out of range"):
        game_of(f"mnk:{bad}")


@pytest.mark.parametrize("games", [200, 1_000])
@pytest.mark.parametrize(("width", "height", "line"), [(15, 15, 5), (7, 4, 3)])
def test_openspiel_agrees_on_random_games(width: int, height: int, line: int, games: int) -> None:
    """The same legal moves, mover and board at each ply, the same end and the same result."""
    cells = [f"x({row},{column})" for row in range(height) for column in range(width)]
    agree_on_random_games(
        named(width, height, line),
        f"mnk(m={width},n={height},k={line})",
        lambda state: [".xo".index(cell) for cell in str(state).replace("\n", "")],
        games,
        cells.index,
    )
