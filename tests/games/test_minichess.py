"""Minichess: counts of moves by Fairy-Stockfish, its answers to random games, and what ends a game."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np
import perft
import pytest
from numpy.typing import NDArray

from trainer.games import game_of, part_of, rules_of
from trainer.games.base import DRAW, FIRST, FLAGS, MOVER, OPEN, SECOND, WINNER, State
from trainer.games.kernels import link_kernels
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.players.minimax import MinimaxPlayer

GAMES = 1_000
GAME = game_of("minichess")
SYMBOLS = GAME.cell_symbols
START = "rnbqk/ppppp/5/PPPPP/RNBQK w"

# Lines of 1, 2, ... plies, as Fairy-Stockfish 11.1 counts them ("go perft 5").
COUNTS = {
    START: [7, 53, 506, 4_775, 52_512, 572_874, 6_947_252],
    # Both can promote, also by taking.
    "1rkn1/P3P/5/p3p/1RKN1 w": [26, 479, 8_167, 124_586, 1_852_896],
    "1rkn1/P3P/5/p3p/1RKN1 b": [26, 479, 8_167, 124_586, 1_852_896],
    "k3q/pp1b1/1nN2/1B1Pp/Q3K w": [17, 237, 3_177, 46_095, 583_652],
    # A bishop is pinned along the rank and a knight along the file.
    "4k/4r/2n2/4N/q1B1K w": [1, 21, 130, 2_404, 14_444],
    "k1b1Q/4n/2N2/4R/4K b": [3, 48, 344, 5_878, 38_109],
    # Check by a rook and a knight at once: only the king can move.
    "4k/1P3/1n3/5/K3r w": [2, 32, 234, 2_637, 19_457],
}


def position_of(fen: str, speed: str = "compiled") -> Position:
    """A position from the notation that chess programs use: ranks from the top, then who moves."""
    rules = link_kernels("minichess").rules if speed == "compiled" else rules_of("minichess")
    ranks, mover = fen.split()
    for number in "12345":
        ranks = ranks.replace(number, "." * int(number))
    state = Position.first(rules).state
    state[MOVER] = 1 if mover == "w" else 2
    rules.from_cells(
        np.array([SYMBOLS.index(piece) for rank in ranks.split("/")[::-1] for piece in rank], np.uint8), state
    )
    return Position(rules, state)


def named(position: Position, move: str) -> Position:
    """The position after a move that is given by its name."""
    return position.play(next(action for action in position.legal if position.name(action) == move))


def names(state: State, actions: list[int]) -> list[str]:
    """The names of actions."""
    return [Position(rules_of("minichess"), state).name(action) for action in actions]


@pytest.mark.parametrize("fen", COUNTS)
def test_there_are_as_many_lines_of_play_as_fairy_stockfish_counts(fen: str) -> None:
    """With checks, pins and promotions, to a depth at which no position can have occurred three times."""
    kernels = link_kernels("minichess", perft).perft
    counted = [
        kernels.perft(position_of(fen).state, depth, np.zeros(4, np.int64)) for depth in range(1, len(COUNTS[fen]) + 1)
    ]
    assert counted == COUNTS[fen]


@pytest.mark.parametrize("fen", COUNTS)
@pytest.mark.parametrize("speed", ["plain", "compiled"])
def test_pyffish_names_the_same_moves(fen: str, speed: str) -> None:
    """In each position and after each move there."""
    pyffish = pytest.importorskip("pyffish")
    position = position_of(fen, speed)
    assert sorted(names(position.state, position.legal)) == sorted(pyffish.legal_moves("gardner", f"{fen} - - 0 1", []))
    for action in position.legal:
        after = position.play(action)
        move = names(position.state, [action])
        theirs = pyffish.legal_moves("gardner", f"{fen} - - 0 1", move)
        assert sorted(names(after.state, after.legal)) == sorted(theirs), move


@dataclass(frozen=True)
class Games:
    """Random games. P plies, of which a finished game's last position fills the rest."""

    states: list[State]
    """[P + 1][G, S]"""
    moves: list[list[str]]
    """[G] the names of a game's moves."""

    @property
    def winner(self) -> NDArray[np.uint64]:
        """[G]"""
        return np.array(self.states[-1][:, WINNER])


@cache
def random_games() -> Games:
    """1,000 games of uniformly random moves."""
    positions, generator = Positions("minichess", GAMES), np.random.default_rng(5)
    states, moves, playing = [positions.states.copy()], [list[str]() for _ in range(GAMES)], np.arange(GAMES)
    while len(playing):
        actions = [generator.choice(np.flatnonzero(legal)) for legal in positions.of(positions.states[playing]).legal()]
        for game, action in zip(playing, actions, strict=True):
            moves[game] += names(positions.states[game], [int(action)])
        positions.play(playing, np.array(actions))
        states.append(positions.states.copy())
        playing = playing[positions.winner[playing] == OPEN]
    return Games(states, moves)


def test_pyffish_agrees_on_random_games() -> None:
    """The same moves at two plies of each game, and the same reason to end it, if it is one that pyffish knows.

    It needs 2 ms per question, so it isn't asked at each of the 116,000 plies; its program was, once.
    """
    pyffish = pytest.importorskip("pyffish")
    games, generator = random_games(), np.random.default_rng(6)
    start = pyffish.start_fen("gardner")
    ends = Counter[str]()
    for game, moves in enumerate(games.moves):
        for ply in generator.integers(len(moves), size=2):
            state = games.states[ply][game]
            ours = names(state, Position(rules_of("minichess"), state).legal)
            assert sorted(ours) == sorted(pyffish.legal_moves("gardner", start, moves[:ply])), moves[:ply]
        winner = int(games.winner[game])
        if pyffish.legal_moves("gardner", start, moves):
            assert winner == DRAW
            over, _ = pyffish.is_optional_game_end("gardner", start, moves)
            assert over or len(moves) == GAME.max_plies, moves
            ends["counted out"] += 1
        elif pyffish.gives_check("gardner", start, moves):
            assert winner == (FIRST if len(moves) % 2 else SECOND), moves
            ends["checkmate"] += 1
        else:
            assert winner == DRAW, moves
            ends["stalemate"] += 1
    assert ends == {"counted out": 544, "checkmate": 279, "stalemate": 177}


def test_a_position_that_occurs_thrice_and_a_hundred_quiet_plies_end_the_game_and_nothing_does_before() -> None:
    """Positions are counted here by their stored cells, and plies by the number of pieces and the pawns' cells."""
    games = random_games()
    stored = [Positions("minichess", 1).of(states).stored() for states in games.states]
    pawns = [np.isin(cells[:, :25], (1, 2)) for cells in stored]
    features = [Positions("minichess", 1).of(states).observation()[:, 300:305] for states in games.states]
    ends = Counter[str]()
    for game, moves in enumerate(games.moves):
        seen, quiet = Counter[bytes](), 0
        for ply in range(len(moves) + 1):
            cells, winner = stored[ply][game, :25], int(games.states[ply][game, WINNER])
            if ply:
                before = stored[ply - 1][game, :25]
                same_pawns = np.array_equal(pawns[ply][game], pawns[ply - 1][game])
                quiet = quiet + 1 if same_pawns and (cells != 0).sum() == (before != 0).sum() else 0
            position = cells.tobytes() + bytes([ply % 2])
            times = seen[position]
            seen[position] += 1
            left = min(100 - quiet, GAME.max_plies - ply)
            shown = [float(times > 0), *(float(left <= soon) for soon in (40, 20, 10, 5))]
            assert features[ply][game].tolist() == shown, moves[:ply]
            if times == 2 or left == 0:
                assert winner != OPEN, moves[:ply]
                ends["thrice" if times == 2 else "quiet" if quiet == 100 else "long"] += 1
            elif ply < len(moves):
                assert winner == OPEN, moves[:ply]
    assert min(ends.values()) > 50
    assert set(ends) == {"thrice", "quiet", "long"}


def played(fen: str, *moves: str, speed: str = "compiled") -> Position:
    """The position after some moves."""
    position = position_of(fen, speed)
    for move in moves:
        position = named(position, move)
    return position


def test_checkmate_wins_and_stalemate_is_a_draw() -> None:
    """Whoever has no move has lost if in check, and has drawn otherwise; the mover is still the one who moved last."""
    for speed in ("plain", "compiled"):
        queen = played("4k/P4/4K/5/5 w", "a4a5q", speed=speed)
        assert (queen.winner, queen.mover, queen.legal) == (FIRST, 1, [])
        rook = played("5/5/4k/p4/4K b", "a2a1r", speed=speed)
        assert (rook.winner, rook.mover, rook.legal) == (SECOND, 2, [])
        stalemate = played("4k/5/3RK/5/5 w", "d3d4", speed=speed)
        assert (stalemate.winner, stalemate.mover, stalemate.legal) == (DRAW, 1, [])


def test_a_pawn_becomes_the_piece_that_its_move_names() -> None:
    """Four moves to the same cell, a queen first; a knight gives no check here."""
    for letter in "qrbn":
        position = played("4k/P4/5/3K1/5 w", f"a4a5{letter}")
        assert str(position).splitlines()[0] == f"5 {letter.upper()} . . . k"
        assert (position.winner, position.mover) == (OPEN, 2)
        position = played("5/3k1/5/p4/4K b", f"a2a1{letter}")
        assert str(position).splitlines()[4] == f"1 {letter} . . . K"
    actions = [action for action in range(GAME.num_actions) if GAME.action_cells[action] == (15, 20)]
    assert names(position_of("4k/P4/5/3K1/5 w").state, actions) == ["a4a5q", "a4a5r", "a4a5b", "a4a5n"]
    assert names(position_of("4k/R4/5/3K1/5 w").state, actions[:1]) == ["a4a5"]


def test_the_third_time_is_a_draw_and_the_second_is_shown() -> None:
    """Both knights go out and back twice. The network sees that a position is there for the second time."""
    out_and_back = ["b1a3", "b5c3", "a3b1", "c3b5"]
    position, shown = position_of(START), []
    for move in out_and_back * 2:
        assert position.winner == OPEN
        position = named(position, move)
        shown.append(int(position.observation[300]))
    assert shown == [0, 0, 0, 1, 1, 1, 1, 1]
    assert (position.winner, position.mover) == (DRAW, 2)


def test_checkmate_comes_before_the_counts() -> None:
    """The hundredth quiet ply ends the game, as a win if it is checkmate; so does the last ply that is allowed."""
    position = position_of("4k/R4/4K/5/5 w")
    position.state[FLAGS + 5] = 99
    assert (named(position, "a4a5").winner, named(position, "a4a3").winner) == (FIRST, DRAW)
    game, moves = next(
        (game, moves) for game, moves in enumerate(random_games().moves) if random_games().winner[game] == SECOND
    )
    for plies, winner in ((len(moves), SECOND), (len(moves) - 1, DRAW)):
        rules = rules_of(f"minichess:plies={plies}")
        assert rules.GAME.max_plies == plies
        position = Position.first(rules)
        for move in moves[:plies]:
            assert position.winner == OPEN
            position = named(position, move)
        assert position.winner == winner, game


def test_wins_next_knows_each_checkmate() -> None:
    """In every position of some games it says whether one of the moves wins."""
    rules, found = link_kernels("minichess").rules, 0
    for states in random_games().states[5:120:5]:
        for state in states[:40]:
            position = Position(rules, state)
            wins = any(position.play(action).winner == position.mover for action in position.legal)
            mask = np.zeros(GAME.num_actions, np.bool_)
            mask[position.legal] = True
            assert bool(rules.wins_next(state, mask)) == wins, str(position)
            found += wins
    assert found > 10


def test_the_heuristic_counts_material() -> None:
    """For the player to move: pawn 1, knight and bishop 3, rook 5, queen 9."""
    heuristic = part_of("minichess", "heuristic")
    assert heuristic is not None
    for fen, value in {
        START: 0,
        "4k/5/P4/5/4K w": 1,
        "4k/5/N4/5/4K w": 3,
        "4k/5/B4/5/4K b": -3,
        "4k/5/r4/5/4K b": 5,
        "q3k/5/P4/5/4K w": -8,
    }.items():
        assert heuristic.value(position_of(fen).state) == value
    assert sorted(heuristic.ORDER) == list(range(GAME.num_actions))


def test_minimax_mates_and_takes_a_queen() -> None:
    """With the heuristic's depth of three plies it sees what wins most."""
    player = MinimaxPlayer("minichess")
    assert player.depth == 3
    for fen, move in {"k4/5/1KR2/5/5 w": "c3c5", "4k/1q3/2P2/5/K4 w": "c3b4"}.items():
        position = position_of(fen)
        chosen = player.choose(Positions("minichess", 1).of(position.state[None]), [np.random.default_rng(0)])
        assert position.name(int(chosen[0])) == move
