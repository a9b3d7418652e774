"""Breakthrough: counts from the literature, small boards solved twice, and OpenSpiel as a second opinion."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from line_counts import lines
from lines_of_play import random_lines
from numpy.typing import NDArray
from side_by_side import agree_on_random_games

from trainer.core.errors import GameError
from trainer.games import game_of, rules_of
from trainer.games.base import FIRST, OPEN, SECOND
from trainer.games.kernels import link_kernels
from trainer.games.layout import layout_of
from trainer.games.position import Position
from trainer.games.positions import Positions

SIZES = [(8, 8), (6, 6), (5, 7), (8, 3), (4, 2)]
"""Rows and columns."""


def named(rows: int, columns: int) -> str:
    """The name of a game of that size."""
    return f"breakthrough:rows={rows},columns={columns}"


@pytest.mark.parametrize(
    ("rows", "columns", "counts"),
    [(8, 8, [22, 484, 11_132, 256_036]), (6, 6, [16, 256, 4_308, 71_478])],
)
def test_there_are_as_many_lines_of_play_as_were_counted(rows: int, columns: int, counts: list[int]) -> None:
    """Lines of 1 to 4 plies."""
    assert [lines(named(rows, columns), depth)[0] for depth in range(1, 5)] == counts


# --- Small boards ---


def winner_by_levels(env_id: str) -> tuple[int, int]:
    """Who wins a game under best play, and the number of its positions: forwards by plies, then backwards.

    A position that can be reached in two numbers of plies counts twice.
    """
    levels: list[Positions] = [Positions(env_id, 1)]
    moves: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    while len(levels[-1].states):
        rows, _, after = levels[-1].successors()
        states, number = np.unique(after.states, axis=0, return_inverse=True)
        levels.append(after.of(states))
        moves.append((rows, number.ravel()))
    winner = np.zeros(0, np.uint64)
    for level, (rows, number) in zip(reversed(levels[:-1]), reversed(moves), strict=True):
        can_win = np.zeros(len(level.states), np.bool_)
        can_win[rows[winner[number] == level.mover[rows]]] = True
        best = np.where(can_win, level.mover, 3 - level.mover)
        winner = np.where(level.winner == OPEN, best, level.winner)
    return int(winner[0]), sum(len(level.states) for level in levels)


def winner_by_squares(rows: int, columns: int) -> tuple[int, int]:
    """The same from other rules, written here a second time: sets of squares, and the mover always goes up."""
    seen: set[tuple[int, frozenset[tuple[int, int]], frozenset[tuple[int, int]]]] = set()

    @cache
    def mover_wins(ply: int, own: frozenset[tuple[int, int]], other: frozenset[tuple[int, int]]) -> bool:
        """Whether the player to move wins; every position that can be reached is visited."""
        seen.add((ply, own, other))
        won = False
        if not own or any(row == 0 for row, _ in other):
            return False
        for row, column in own:
            for right in (-1, 0, 1):
                to = (row + 1, column + right)
                if not 0 <= to[1] < columns or to in own or (to in other and right == 0):
                    continue
                turned = [
                    frozenset((rows - 1 - r, c) for r, c in side)
                    for side in (own - {(row, column)} | {to}, other - {to})
                ]
                won |= not mover_wins(ply + 1, turned[1], turned[0])
        return won

    home = frozenset((row, column) for row in (0, 1) for column in range(columns))
    away = frozenset((rows - 1 - row, column) for row, column in home)
    return (FIRST if mover_wins(0, home, away) else SECOND), len(seen)


@pytest.mark.parametrize(("rows", "columns", "winner"), [(4, 2, SECOND), (5, 2, SECOND), (6, 2, FIRST), (4, 3, SECOND)])
def test_two_solvers_agree_on_small_boards(rows: int, columns: int, winner: int) -> None:
    """On the winner and on the number of positions, after visiting all of them."""
    by_levels = winner_by_levels(named(rows, columns))
    assert by_levels == winner_by_squares(rows, columns)
    assert by_levels[0] == winner


# --- The rules by hand ---


def drawn(board: list[str], mover: int) -> Position:
    """A position on 8x8 from its rows, the top one first."""
    cells = bytes(".WB".index(cell) for row in reversed(board) for cell in row.split())
    return Position.from_bytes(rules_of("breakthrough"), cells + bytes([mover, OPEN]))


def moves(position: Position) -> list[str]:
    """The legal moves by name."""
    return [position.name(action) for action in position.legal]


def after(position: Position, move: str) -> Position:
    """The position after a move that is given by name."""
    return position.play(position.legal[moves(position).index(move)])


MIDDLE = [
    "B . . . . . . .",
    ". . . . . . . .",
    ". . . B . . . .",
    ". B . . . . . B",
    "W W . . . . W .",
    ". . . . . W . .",
    ". . . . . . . .",
    ". . . . . . . .",
]


def test_pieces_step_forwards_and_capture_diagonally() -> None:
    """Straight ahead only an empty cell will do; diagonally an opponent's piece, too; never a piece of one's own."""
    white = ["f3-e4", "f3-f4", "a4-a5", "a4xb5", "b4-a5", "b4-c5", "g4-f5", "g4-g5", "g4xh5"]
    assert moves(drawn(MIDDLE, 1)) == white
    black = ["b5xa4", "b5-c4", "h5xg4", "h5-h4", "d6-c5", "d6-d5", "d6-e5", "a8-a7", "a8-b7"]
    assert moves(drawn(MIDDLE, 2)) == black


def test_a_captured_piece_leaves_the_board() -> None:
    """And nothing else changes but the piece that moved."""
    position = after(drawn(MIDDLE, 1), "g4xh5")
    assert str(position).splitlines() == [*MIDDLE[:3], ". B . . . . . W", "W W . . . . . .", *MIDDLE[5:]]
    assert (position.mover, position.winner) == (2, OPEN)


def test_the_last_row_wins() -> None:
    """The first player's at the top, the second player's at the bottom."""
    empty = [". . . . . . . ."] * 4
    board = [". . . . . . . .", "W . . . . . . .", *empty, "B . . . . . . .", ". . . . . . . ."]
    for mover, move in ((1, "a7-b8"), (1, "a7-a8"), (2, "a2-b1"), (2, "a2-a1")):
        position = after(drawn(board, mover), move)
        assert (position.winner, position.mover, position.legal) == (mover, mover, [])


def test_whoever_takes_the_last_piece_wins() -> None:
    """In the middle of the board; with another piece left, the game goes on."""
    empty = [". . . . . . . ."] * 5
    board = [". . . . . . . .", *empty[:2], ". . . B . . . .", ". . W . . . . .", *empty[:3]]
    assert after(drawn(board, 1), "c4xd5").winner == FIRST
    assert after(drawn(board, 2), "d5xc4").winner == SECOND
    board[0] = "B . . . . . . W"
    assert after(drawn(board, 1), "c4xd5").winner == OPEN


# --- What every size promises ---


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_actions_are_the_steps_up_and_then_the_steps_down(rows: int, columns: int) -> None:
    """Each pair of cells once, ordered by the cell that is left; no gaps."""
    game = game_of(named(rows, columns))
    half = (rows - 1) * (3 * columns - 2)
    assert game.num_actions == len(set(game.action_cells)) == 2 * half
    for action, (start, end) in enumerate(game.action_cells):
        assert end // columns - start // columns == (1 if action < half else -1)
        assert abs(end % columns - start % columns) <= 1
    assert [*game.action_cells[:half]] == sorted(game.action_cells[:half])
    assert [*game.action_cells[half:]] == sorted(game.action_cells[half:])


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_exchanged_players_play_the_same_game(rows: int, columns: int) -> None:
    """With the board turned upside down, the other player has the same moves, the same view and the opposite result."""
    env_id = named(rows, columns)
    game, compiled = game_of(env_id), link_kernels(env_id).rules
    layout = layout_of(game)
    assert game.seats is not None
    assert layout.exchange is not None
    cells, codes, actions = np.array(game.seats.cells), np.array([0, 2, 1], np.uint8), np.array(game.seats.actions)
    for line in random_lines(env_id, 10):
        start = codes[line.positions[0].cells][cells]
        other = Position.from_bytes(compiled, start.tobytes() + bytes([2, OPEN]))
        for seen, action in zip(line.positions, [*line.actions, -1], strict=True):
            assert other.mover == 3 - seen.mover
            assert other.winner == (3 - seen.winner if seen.winner else OPEN)
            assert sorted(actions[other.legal].tolist()) == seen.legal
            assert other.observation[: layout.end].tolist() == seen.observation[layout.exchange].tolist()
            if action >= 0:
                other = other.play(int(np.flatnonzero(actions == action)[0]))


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_the_mirror_image_is_the_same_game(rows: int, columns: int) -> None:
    """Left and right exchanged: the same moves, the same result."""
    env_id = named(rows, columns)
    rules = link_kernels(env_id).rules
    _, mirror = game_of(env_id).symmetries
    for line in random_lines(env_id, 10):
        other = Position.first(rules)
        for seen, action in zip(line.positions, [*line.actions, -1], strict=True):
            assert other.cells.tolist() == seen.cells[list(mirror.cells)].tolist()
            assert sorted(mirror.actions[a] for a in other.legal) == seen.legal
            assert other.winner == seen.winner
            if action >= 0:
                other = other.play(mirror.actions.index(action))


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_wins_next_is_right_in_every_position(rows: int, columns: int) -> None:
    """Also if the opponent has one piece left. The mover always has a move."""
    env_id = named(rows, columns)
    plain, compiled = rules_of(env_id), link_kernels(env_id).rules
    seen = [position for line in random_lines(env_id, 30) for position in line.positions[:-1]]
    seen += [with_one_opponent(position) for position in seen]
    positions = Positions(env_id, 0).of(np.array([position.state for position in seen]))
    row, _, after = positions.successors()
    wins = np.zeros(len(seen), np.bool_)
    wins[row[after.winner == after.mover]] = True
    legal = positions.legal()
    assert legal.any(axis=1).all()
    assert 20 < wins.sum() < len(wins) - 20
    for position, mask, expected in zip(seen, legal, wins, strict=True):
        assert compiled.wins_next(position.state, mask) == expected, f"{position}"
        assert plain.wins_next(position.state, mask) == expected, f"{position}"


def with_one_opponent(position: Position) -> Position:
    """The position without the opponent's pieces except for one."""
    cells = position.cells
    cells[np.flatnonzero(cells == 3 - position.mover)[:-1]] = 0
    return Position.from_bytes(position.rules, cells.tobytes() + bytes([position.mover, OPEN]))


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_no_position_has_more_moves_and_no_game_more_plies_than_promised(rows: int, columns: int) -> None:
    """Also in games in which nobody wins or captures as long as there is another move."""
    env_id = named(rows, columns)
    rules, game, generator = link_kernels(env_id).rules, game_of(env_id), np.random.default_rng(5)
    for _ in range(50):
        position, plies = Position.first(rules), 0
        while position.winner == OPEN:
            assert len(position.legal) <= game.most_moves
            empty = position.cells == 0
            quiet = [a for a in position.legal if empty[game.action_cells[a][1]] and not wins_by(position, a)]
            position = position.play(int(generator.choice(quiet or position.legal)))
            plies += 1
        assert plies <= game.max_plies


def wins_by(position: Position, action: int) -> bool:
    """Whether an action wins at once."""
    return position.play(action).winner != OPEN


@pytest.mark.parametrize("bad", ["rows=3", "rows=9", "columns=1", "columns=9"])
def test_impossible_sizes_are_refused(bad: str) -> None:
    """A board has 4 to 8 rows and 2 to 8 columns."""
    with pytest.raises(GameError, match="out of range"):
        game_of(f"breakthrough:{bad}")


# --- OpenSpiel ---


@pytest.mark.parametrize(("rows", "columns", "games"), [(6, 7, 200), (6, 7, 1_000), (8, 8, 1_000)])
def test_openspiel_agrees_on_random_games(rows: int, columns: int, games: int) -> None:
    """The same legal moves, mover and board at each ply, the same end and the same result.

    OpenSpiel has other numbers for actions, and its first player begins at the top, so that its a7b6 is our a2b3.
    """
    env_id = named(rows, columns)
    cells = [f"{chr(ord('a') + cell % columns)}{rows - cell // columns}" for cell in range(rows * columns)]
    names = [cells[start] + cells[end] for start, end in game_of(env_id).action_cells]
    agree_on_random_games(
        env_id,
        f"breakthrough(rows={rows},columns={columns})",
        lambda state: cells_there(state, columns),
        games,
        lambda name: names.index(name.removesuffix("*")),  # a capture ends with an asterisk
    )


def cells_there(state: Any, columns: int) -> list[int]:
    """OpenSpiel's board from its first player's side: its first line is "8bbbbbbbb"."""
    return [".bw".index(cell) for line in str(state).splitlines()[:-1] for cell in line[-columns:]]
