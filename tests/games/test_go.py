"""Go: counts and theorems from the literature, OpenSpiel as a second opinion, and positions by hand."""

from __future__ import annotations

import go_positions
import minimax
import numpy as np
import pyspiel
import pytest
from lines_of_play import random_line

from trainer.compile.linker import Linked
from trainer.games import game_of, rules_of
from trainer.games.base import DRAW, FIRST, FLAGS, MOVER, OPEN, SECOND, State
from trainer.games.kernels import link_kernels
from trainer.games.layout import layout_of
from trainer.games.position import Position
from trainer.games.positions import Positions

LEGAL = {2: 57, 3: 12_675, 4: 24_318_165}
"""Boards on which every chain has a liberty, by the size of the board (OEIS A094777)."""


def after(env_id: str, moves: str) -> Position:
    """The position after moves that are given by their names."""
    position = Position.first(rules_of(env_id))
    for name in moves.split():
        position = position.play(action_of(position, name))
    return position


def action_of(position: Position, name: str) -> int:
    """The action of a name."""
    return [position.name(action) for action in range(position.rules.GAME.num_actions)].index(name)


def can_play(position: Position, name: str) -> bool:
    """Whether a move is legal."""
    return action_of(position, name) in position.legal


@pytest.mark.parametrize("size", LEGAL)
def test_as_many_boards_are_legal_as_were_counted(size: int) -> None:
    """All boards are tried, with the function that counts liberties in play."""

    def warm_up(linked: Linked) -> None:
        go_positions_of(linked, 0)

    def go_positions_of(linked: Linked, code: int) -> int:
        board = np.full(size * size, code, np.uint8)
        state = Position.first(linked.rules).state
        if code:
            linked.rules.from_cells(board, state)
        return int(linked.go_positions.count_legal(state, board))

    linked = link_kernels(f"go:size={size}", go_positions, warm_up=warm_up if size == 2 else None)
    assert go_positions_of(linked, 0) == LEGAL[size]


def next_boards(positions: Positions) -> State:
    """The distinct unfinished positions one ply later, as if no move had been made before, uint64 [R, S]."""
    _, _, later = positions.successors()
    raw = positions.game.state_words - positions.game.raw_words
    states = later.states[later.winner == OPEN]
    states[:, FLAGS] = OPEN
    states[:, raw:] = 0
    return np.unique(states, axis=0)


@pytest.mark.parametrize("size", [2, 3])
def test_play_reaches_all_legal_boards_and_no_others(size: int) -> None:
    """Without the memory of earlier boards, with passes, each board can be reached, with either player to move."""
    positions = Positions(f"go:size={size}", 1)
    known = positions.states
    while len(positions.states):
        seen = {state.tobytes() for state in known}
        fresh = [state for state in next_boards(positions) if state.tobytes() not in seen]
        positions = positions.of(np.array(fresh, np.uint64).reshape(-1, positions.game.state_words))
        known = np.concatenate([known, positions.states])
    assert [int((known[:, MOVER] == mover).sum()) for mover in (FIRST, SECOND)] == [LEGAL[size], LEGAL[size]]


@pytest.mark.parametrize(
    ("size", "half_komi", "longest", "value"),
    [(2, 1, 40, 1), (2, 3, 40, -1), (3, 17, 14, 1)],
)
def test_the_first_player_wins_by_1_on_2x2_and_by_9_on_3x3(size: int, half_komi: int, longest: int, value: int) -> None:
    """Found by trying all lines. More than 9 points there aren't, and 1 point depends on superko (Tromp: 2x2 Go)."""
    env_id = f"go:size={size},half_komi={half_komi}"
    order = np.array([4, 1, 3, 5, 7, 0, 2, 6, 8, 9] if size == 3 else range(5))

    def solve(linked: Linked) -> int:
        state = Position.first(linked.rules).state
        return int(linked.minimax.minimax(state, longest, order))

    assert solve(link_kernels(env_id, minimax)) == value


@pytest.mark.parametrize(("size", "games"), [(9, 200), (9, 1_000), (5, 300), (2, 300)])
def test_openspiel_agrees_on_random_games(size: int, games: int) -> None:
    """The same legal moves and mover at each ply, the same end, board and result.

    OpenSpiel allows a stone that repeats a board, other than in a simple ko, and calls the game a draw then.
    """
    points, env_id = size * size, "go" if size == 9 else f"go:size={size}"
    ours = Positions(env_id, games)
    settings = {"board_size": size, "komi": 7.5, "max_game_length": ours.game.max_plies}
    theirs = [pyspiel.load_game("go", settings).new_initial_state() for _ in range(games)]
    # OpenSpiel's first row is at the bottom.
    flipped = np.append(np.arange(points).reshape(size, size)[::-1].ravel(), points)
    generator = np.random.default_rng(1)
    playing, repeats = np.arange(games), 0
    while len(playing):
        legal, actions = ours.legal()[:, flipped], []
        for game in playing:
            state = theirs[game]
            for action in np.flatnonzero(legal[game] != np.array(state.legal_actions_mask(), np.bool_)):
                child = state.child(action)
                assert (child.is_terminal(), child.returns()) == (True, [0, 0]), f"after {state.history()}"
                repeats += 1
            assert ours.mover[game] == state.current_player() + 1, f"after {state.history()}"
            may_play = np.flatnonzero(legal[game])
            actions.append(may_play[generator.integers(len(may_play))])
            state.apply_action(actions[-1])
        ours.play(playing, flipped[actions])
        over = ours.winner[playing] != OPEN
        assert over.tolist() == [theirs[game].is_terminal() for game in playing]
        playing = playing[~over]
    boards = ours.stored()[:, flipped[:-1]]
    for game, state in enumerate(theirs):
        planes = np.array(state.observation_tensor(0)).reshape(-1, points)
        assert boards[game].tolist() == (planes[0] + 2 * planes[1]).tolist(), f"after {state.history()}"
        assert state.returns()[0] == {FIRST: 1, SECOND: -1}[int(ours.winner[game])], f"after {state.history()}"
    assert repeats > 0


KO = "C4 D4 B3 E3 C2 D2 A1 C3 D3"
"""On 5x5, black has just taken the stone on C3, with a stone on D3 that has no other liberty."""


def test_a_ko_may_not_be_retaken_at_once() -> None:
    """It may be after a move elsewhere. The network sees the point on plane 4."""
    position = after("go:size=5", KO)
    retake = action_of(position, "C3")
    assert str(position).splitlines() == [
        " 5 . . . . .",
        " 4 . . X O .",
        " 3 . X . X O",
        " 2 . . X O .",
        " 1 X . . . .",
        "   A B C D E",
    ]
    assert not can_play(position, "C3")
    assert np.flatnonzero(position.observation[4 * 25 : 5 * 25]).tolist() == [retake]
    later = after("go:size=5", f"{KO} A5 E1")
    assert can_play(later, "C3")
    retaken = later.play(retake)
    assert retaken.cells[action_of(later, "D3")] == 0
    assert not can_play(retaken, "D3")


def test_a_longer_cycle_may_not_be_closed() -> None:
    """White adds a stone to one in the corner, black takes both, and white may not take one back: that board was there."""
    moves = "A2 C2 B2 D1 E5 B1 E4 A1 C1"
    position = after("go:size=5", moves)
    assert str(position).splitlines() == [
        " 5 . . . . X",
        " 4 . . . . X",
        " 3 . . . . .",
        " 2 X X O . .",
        " 1 . . X O .",
        "   A B C D E",
    ]
    assert not can_play(position, "B1")
    assert np.flatnonzero(position.observation[4 * 25 : 5 * 25]).tolist() == [action_of(position, "B1")]
    assert can_play(after("go:size=5", f"{moves} D5 D4"), "B1")


def test_suicide_is_illegal_unless_it_captures() -> None:
    """White's corner stone has no liberty at first; later it takes a stone and has one."""
    assert not can_play(after("go:size=5", "A2 E5 B1"), "A1")
    assert can_play(after("go:size=5", "A2 A3 B1 B2 E5"), "A1")


def test_area_counts_stones_and_points_that_only_one_player_reaches() -> None:
    """Columns B and D are walls, and column C, between them, is nobody's: 10 to 10."""
    walls = "B1 D1 B2 D2 B3 D3 B4 D4 B5 D5 pass"
    for half_komi, winner in ((-1, FIRST), (0, DRAW), (1, SECOND)):
        position = after(f"go:size=5,half_komi={half_komi}", walls)
        wins = np.zeros(26, np.bool_)
        wins[position.legal] = True
        assert position.rules.wins_next(position.state, wins) == (winner == SECOND)
        assert position.play(25).winner == winner
        assert position.observation[5 * 25 + 2 : 5 * 25 + 5].tolist() == [winner == FIRST, winner == SECOND, 1]


def test_an_empty_board_is_nobodys() -> None:
    """Two passes at the start: only the komi counts."""
    assert after("go:half_komi=0", "pass pass").winner == DRAW
    assert after("go", "pass pass").winner == SECOND


@pytest.mark.parametrize("env_id", ["go", "go:size=4,half_komi=2"])
def test_the_seats_are_exchanged_with_the_komi(env_id: str) -> None:
    """If the second player made the first move, the same game has exchanged views, equal legal moves, opposite results.

    The view of a finished game isn't exchanged: nobody is to move.
    """
    rules = rules_of(env_id)
    exchange = layout_of(game_of(env_id)).exchange
    assert exchange is not None
    for seed in range(10):
        line = random_line(rules, np.random.default_rng(seed))
        other = Position.first(rules)
        other.state[MOVER] = SECOND
        for position, action in zip(line.positions, line.actions, strict=False):
            assert other.mover == 3 - position.mover
            assert other.legal == position.legal
            np.testing.assert_array_equal(other.observation[exchange], position.observation[: len(exchange)])
            other = other.play(action)
        assert other.winner == {FIRST: SECOND, SECOND: FIRST, DRAW: DRAW}[line.positions[-1].winner]


def test_the_last_ply_is_scored() -> None:
    """A game that nobody ends by passing has a result after `max_plies`, and the plies before are announced."""
    env_id = "go:size=5"
    longest = game_of(env_id).max_plies
    lines = (random_line(rules_of(env_id), np.random.default_rng(seed)) for seed in range(100))
    line = next(line for line in lines if len(line.actions) == longest and 25 not in line.actions[-2:])
    announced = [position.observation[5 * 25 + 5 : 5 * 25 + 10].tolist() for position in line.positions[-4:-1]]
    assert announced == [[0, 0, 1, 1, 1], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1]]
    assert line.positions[-1].winner in (FIRST, SECOND)
