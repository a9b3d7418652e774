"""What every game promises. A new game is covered as soon as it is registered."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType

import numpy as np
import pytest
from lines_of_play import Line, play_line, random_lines, transformed

from trainer.game_config import GameConfig, metadata_of
from trainer.games import ENV_IDS, game_of, rules_of
from trainer.games.base import DRAW, FIRST, OPEN, SECOND
from trainer.games.kernels import link_kernels
from trainer.games.layout import layout_from_json, layout_of, layout_to_json
from trainer.games.position import Position
from trainer.games.positions import Positions

GAMES = 20

OTHER_SIZES = (
    "mnk:width=9,height=8,line=4",
    "breakthrough:rows=5,columns=6",
)
"""Games of other sizes, which take other paths: boards that are no squares, and one of several words."""

every_game = pytest.mark.parametrize("env_id", [*ENV_IDS, *OTHER_SIZES])


def lines(env_id: str) -> list[Line]:
    """Random games, played by the plain functions."""
    return random_lines(env_id, GAMES)


def compiled_rules(env_id: str) -> ModuleType:
    """The game's functions at compiled speed."""
    rules: ModuleType = link_kernels(env_id).rules
    return rules


@every_game
def test_moves_are_legal_until_the_end_and_none_afterwards(env_id: str) -> None:
    """An unfinished position has a legal move, a finished one has a winner or is a draw, and no legal move."""
    for line in lines(env_id):
        assert all(position.legal and position.winner == OPEN for position in line.positions[:-1])
        assert line.positions[-1].legal == []
        assert line.positions[-1].winner in (FIRST, SECOND, DRAW)


@every_game
def test_no_game_is_longer_than_max_plies(env_id: str) -> None:
    """The memory for a game is allocated for `max_plies`."""
    assert max(len(line.actions) for line in lines(env_id)) <= game_of(env_id).max_plies


@every_game
def test_the_first_player_begins_and_both_play(env_id: str) -> None:
    """Player 1 moves first, and every mover is 1 or 2."""
    for line in lines(env_id):
        movers = [position.mover for position in line.positions]
        assert movers[0] == 1
        assert set(movers) == {1, 2}


@every_game
def test_the_player_of_a_finished_position_is_the_one_who_moved_last(env_id: str) -> None:
    """The player byte doesn't change when the game ends, whoever won."""
    for line in lines(env_id):
        assert line.positions[-1].mover == line.positions[-2].mover


@every_game
@pytest.mark.parametrize("speed", ["plain", "compiled"])
def test_play_never_changes_past_positions(env_id: str, speed: str) -> None:
    """What a position showed is still true when the game is over, and reading a position doesn't change it."""
    rules = rules_of(env_id) if speed == "plain" else compiled_rules(env_id)
    position = Position.first(rules)
    past = []
    for action in lines(env_id)[0].actions:
        words = position.state.tolist()
        past.append((position, words, position.to_bytes(), position.legal, position.observation.tolist()))
        assert position.state.tolist() == words
        position = position.play(action)
    for seen, *what in past:
        assert [seen.state.tolist(), seen.to_bytes(), seen.legal, seen.observation.tolist()] == what


@every_game
def test_symmetries_are_a_group_of_permutations(env_id: str) -> None:
    """Each is a permutation of cells and of actions, the first the identity, all distinct, closed under composition."""
    game = game_of(env_id)
    tables = [(symmetry.cells, symmetry.actions) for symmetry in game.symmetries]
    cells, actions = tuple(range(game.num_cells)), tuple(range(game.num_actions))
    assert tables[:1] in ([], [(cells, actions)])  # a game may declare none
    assert len(set(tables)) == len(tables)
    for table in tables:
        assert (tuple(sorted(table[0])), tuple(sorted(table[1]))) == (cells, actions)
        for then in tables:
            both = (tuple(table[0][cell] for cell in then[0]), tuple(table[1][action] for action in then[1]))
            assert both in tables


@every_game
def test_symmetries_commute_with_play(env_id: str) -> None:
    """Transforming a position and then playing gives the same as the other order; the legal moves agree, too."""
    if game_of(env_id).raw_words:
        pytest.skip("the raw words aren't transformed; the next test is for such games")
    rules = compiled_rules(env_id)
    for line in lines(env_id)[:5]:
        positions = [Position(rules, position.state) for position in line.positions]
        for symmetry in game_of(env_id).symmetries:
            seen = [transformed(position, symmetry) for position in positions]
            for position, seen_position in zip(positions, seen, strict=True):
                assert sorted(symmetry.actions.index(action) for action in position.legal) == seen_position.legal
            for (before, after), action in zip(pairwise(seen), line.actions, strict=True):
                assert before.play(symmetry.actions.index(action)).to_bytes() == after.to_bytes()


@pytest.mark.parametrize(
    "env_id", [env_id for env_id in ENV_IDS if game_of(env_id).raw_words and game_of(env_id).symmetries]
)
def test_symmetries_commute_with_whole_games(env_id: str) -> None:
    """A game whose actions are transformed, from the first one on, shows the transformed observations and the same result.

    So the first position must be symmetric.
    """
    rules, game = compiled_rules(env_id), game_of(env_id)
    tables = GameConfig(metadata_of(game), game.symmetries, layout_of(game)).symmetry_tables
    for line in lines(env_id)[:5]:
        for symmetry, table in zip(game.symmetries, tables.observations, strict=True):
            seen = play_line(rules, [symmetry.actions.index(action) for action in line.actions]).positions
            for position, seen_position in zip(line.positions, seen, strict=True):
                np.testing.assert_array_equal(seen_position.observation, position.observation[table])
                assert (seen_position.mover, seen_position.winner) == (position.mover, position.winner)


@every_game
def test_a_layout_comes_back_from_a_database(env_id: str) -> None:
    """For programs that don't have the rules. So every game passes the checks that a stored layout is read with."""
    game = game_of(env_id)
    layout, packed = layout_of(game), game.packed_moves
    read, packed_again = layout_from_json(layout_to_json(layout, packed), game.height, game.width, game.num_actions)
    assert packed_again == packed
    for name in ("planes", "features", "height", "width", "num_actions", "exchange", "actions"):
        np.testing.assert_array_equal(getattr(read, name), getattr(layout, name))


@every_game
def test_stored_bytes_come_back_as_the_same_position(env_id: str) -> None:
    """`from_bytes` undoes `to_bytes`, and such a position plays on like the original."""
    rules = rules_of(env_id)
    for line in lines(env_id)[:5]:
        for position, after, action in zip(line.positions, line.positions[1:], line.actions, strict=False):
            stored = position.to_bytes()
            assert len(stored) == game_of(env_id).state_bytes
            restored = Position.from_bytes(rules, stored)
            assert restored.state.tolist() == position.state.tolist()
            assert restored.play(action).to_bytes() == after.to_bytes()


@every_game
def test_stored_bytes_are_cells_then_player_then_winner(env_id: str) -> None:
    """Cells by their codes, the player to move, then 0 while the game is open; at the end 1, 2, or 3 for a draw."""
    cells, codes = game_of(env_id).num_cells, set(range(len(game_of(env_id).cell_symbols)))
    for line in lines(env_id):
        for position in line.positions:
            stored = position.to_bytes()
            assert stored[:cells] == position.cells.tobytes()
            assert set(stored[:cells]) <= codes
            assert (stored[cells], stored[cells + 1]) == (position.mover, position.winner)


@every_game
def test_compiled_positions_equal_plain_ones(env_id: str) -> None:
    """Many positions in parallel have the legal moves, bytes and observations that each has alone, at every ply."""
    games = lines(env_id)
    positions = Positions(env_id, len(games))
    for ply in range(max(len(line.actions) for line in games) + 1):
        alone = [line.positions[min(ply, len(line.actions))] for line in games]
        assert positions.states.tolist() == [position.state.tolist() for position in alone]
        assert [np.flatnonzero(legal).tolist() for legal in positions.legal()] == [one.legal for one in alone]
        assert [stored.tobytes() for stored in positions.stored()] == [position.to_bytes() for position in alone]
        np.testing.assert_array_equal(positions.observation(), [position.observation for position in alone])
        assert positions.mover.tolist() == [position.mover for position in alone]
        assert positions.winner.tolist() == [position.winner for position in alone]
        under_way = [row for row, line in enumerate(games) if ply < len(line.actions)]
        positions.play(
            np.array(under_way, np.int64), np.array([games[row].actions[ply] for row in under_way], np.int64)
        )


@every_game
def test_compiled_functions_equal_plain_ones(env_id: str) -> None:
    """Each of the five functions does the same compiled and uncompiled."""
    rules = compiled_rules(env_id)
    assert Position.first(rules).state.tolist() == Position.first(rules_of(env_id)).state.tolist()
    for line in lines(env_id):
        for plain, after, action in zip(line.positions, line.positions[1:], line.actions, strict=False):
            fast = Position(rules, plain.state)
            assert fast.legal == plain.legal
            assert fast.cells.tolist() == plain.cells.tolist()
            assert fast.play(action).state.tolist() == after.state.tolist()
            from_cells = plain.state.copy()
            rules.from_cells(plain.cells, from_cells)
            assert from_cells.tolist() == plain.state.tolist()


@pytest.mark.parametrize(
    "env_id", [env_id for env_id in (*ENV_IDS, *OTHER_SIZES) if hasattr(rules_of(env_id), "wins_next")]
)
def test_wins_next_invents_no_win(env_id: str) -> None:
    """If the rules have `wins_next`, some legal move wins whenever it says so."""
    for line in lines(env_id):
        for position in line.positions[:-1]:
            mask = np.zeros(game_of(env_id).num_actions, np.bool_)
            mask[position.legal] = True
            if compiled_rules(env_id).wins_next(position.state, mask):
                assert any(position.play(action).winner == position.mover for action in position.legal), f"{position}"


@pytest.mark.parametrize("env_id", ["tictactoe", "connect4", "othello", "mnk", "breakthrough"])
def test_wins_next_finds_the_moves_that_win(env_id: str) -> None:
    """Plain and compiled, it is right in every position, except for games of Othello that end because nobody can move."""
    seen = 0
    for speed in ("plain", "compiled"):
        rules = rules_of(env_id) if speed == "plain" else compiled_rules(env_id)
        for line in lines(env_id):
            for position in line.positions[:-1]:
                after = [position.play(action) for action in position.legal]
                won = [one for one in after if one.winner == position.mover]
                if env_id == "othello":
                    won = [one for one in won if len(set(one.cells)) < 3 or (one.cells != 0).all()]
                mask = np.zeros(game_of(env_id).num_actions, np.bool_)
                mask[position.legal] = True
                assert rules.wins_next(position.state, mask) == bool(won), f"{position}"
                seen += bool(won)
    assert seen > 10


def test_wins_next_sees_the_last_disc_taken() -> None:
    """Black takes white's only disc though the board is nearly empty; white, to move, could only pass."""
    cells = np.zeros(64, np.uint8)
    cells[[24, 25]] = 1, 2
    for mover, wins in ((1, True), (2, False)):
        position = Position.from_bytes(rules_of("othello"), cells.tobytes() + bytes([mover, OPEN, 0]))
        mask = np.zeros(65, np.bool_)
        mask[position.legal] = True
        assert compiled_rules("othello").wins_next(position.state, mask) == wins


@every_game
def test_replay_leads_to_the_position_of_the_same_moves(env_id: str) -> None:
    """`replay` changes one row and no other."""
    line = lines(env_id)[0]
    positions = Positions(env_id, 3)
    positions.replay(1, line.actions)
    first, last = line.positions[0].to_bytes(), line.positions[-1].to_bytes()
    assert [stored.tobytes() for stored in positions.stored()] == [first, last, first]


# The table of the replay contract, written here a second time on purpose.
CONTRACT = {
    "tictactoe": {"width": 3, "height": 3, "num_actions": 9, "obs_size": 29, "mask": 18, "state_bytes": 11},
    "connect4": {"width": 7, "height": 6, "num_actions": 7, "obs_size": 93, "mask": 84, "state_bytes": 44},
    "othello": {"width": 8, "height": 8, "num_actions": 65, "obs_size": 195, "mask": 128, "state_bytes": 67},
}


@pytest.mark.parametrize("env_id", CONTRACT)
def test_dimensions_are_those_of_the_contract(env_id: str) -> None:
    """Other programs read and write these sizes, so they are fixed."""
    game = game_of(env_id)
    assert game.env_id == env_id
    assert {
        "width": game.width,
        "height": game.height,
        "num_actions": game.num_actions,
        "obs_size": game.obs_size,
        "mask": game.legal_mask_offset,
        "state_bytes": game.state_bytes,
    } == CONTRACT[env_id]


# Games by hand: the actions, the indices of the observation that are 1, and the stored bytes. No position here looks the
# same if rows and columns are exchanged, or the two players.
BY_HAND = {
    "tic-tac-toe, X in the middle of the top row, O in its right corner": (
        "tictactoe",
        [1, 2],
        [1, 9 + 2, *(18 + cell for cell in (0, 3, 4, 5, 6, 7, 8)), 27],
        "012000000" + "10",
    ),
    "tic-tac-toe, X has won the left column: no legal move, the flag stays with X": (
        "tictactoe",
        [0, 1, 3, 4, 6],
        [0, 3, 6, 9 + 1, 9 + 4, 27],
        "120120100" + "11",
    ),
    "tic-tac-toe, O has won the bottom row": (
        "tictactoe",
        [0, 6, 1, 7, 5, 8],
        [0, 1, 5, 9 + 6, 9 + 7, 9 + 8, 28],
        "110001222" + "22",
    ),
    "tic-tac-toe, a draw": (
        "tictactoe",
        [0, 1, 2, 4, 3, 5, 7, 6, 8],
        [0, 2, 3, 7, 8, 9 + 1, 9 + 4, 9 + 5, 9 + 6, 27],
        "121122211" + "13",
    ),
    "Connect 4, two discs in column 3 and one in column 2: row 0 is the bottom": (
        "connect4",
        [3, 3, 2],
        [2, 3, 42 + 7 + 3, *range(84, 91), 92],
        "0011000" + "0002000" + "0000000" * 4 + "20",
    ),
    "Connect 4, column 6 is full": (
        "connect4",
        [6] * 6,
        [6, 20, 34, 42 + 13, 42 + 27, 42 + 41, *range(84, 90), 91],
        ("0000001" + "0000002") * 3 + "10",
    ),
    "Connect 4, Yellow has won up column 0: no legal move, the flag stays with Yellow": (
        "connect4",
        [1, 0, 1, 0, 1, 0, 2, 0],
        [1, 8, 15, 2, 42 + 0, 42 + 7, 42 + 14, 42 + 21, 92],
        "2110000" + "2100000" + "2100000" + "2000000" + "0000000" * 2 + "22",
    ),
    "Othello, the first position": (
        "othello",
        [],
        [28, 35, 64 + 27, 64 + 36, *(128 + cell for cell in (19, 26, 37, 44)), 193],
        "0" * 27 + "21" + "0" * 6 + "12" + "0" * 27 + "100",
    ),
    "Othello, black has placed on row 2, column 3 and flipped the disc below": (
        "othello",
        [19],
        [19, 27, 28, 35, 64 + 36, *(128 + cell for cell in (18, 20, 34)), 194],
        "0" * 19 + "1" + "0" * 7 + "11" + "0" * 6 + "12" + "0" * 27 + "200",
    ),
    "Othello, black has won every disc: the player stays black, the pass is not legal": (
        "othello",
        [26, 18, 44, 43, 42, 34, 10, 29, 30],
        [10, 18, 26, 27, 28, 29, 30, 34, 35, 36, 42, 43, 44, 193],
        "00000000" + "00100000" + "00100000" + "00111110" + "00111000" + "00111000" + "00000000" * 2 + "110",
    ),
}


@pytest.mark.parametrize(("env_id", "actions", "ones", "stored"), BY_HAND.values(), ids=BY_HAND)
def test_observation_and_stored_bytes_are_those_of_the_contract(
    env_id: str, actions: list[int], ones: list[int], stored: str
) -> None:
    """First player's pieces, second player's, legal moves, first to move, second to move; cells, player, winner, flags."""
    position = play_line(rules_of(env_id), actions).positions[-1]
    assert np.flatnonzero(position.observation).tolist() == sorted(ones)
    assert set(position.observation) == {0, 1}
    assert position.observation.dtype == np.float32
    assert "".join(str(byte) for byte in position.to_bytes()) == stored


def test_an_othello_player_who_cannot_place_must_pass() -> None:
    """The pass is legal only if nothing else is. The last state byte is 1 right after a pass and 0 otherwise."""
    line = play_line(rules_of("othello"), [44, 45, 19, 52, 54, 38, 60, 59, 58, 20, 12, 18, 9, 64, 31])
    assert [64 in position.legal for position in line.positions] == [False] * 13 + [True] + [False] * 2
    before, passed, after = line.positions[13:16]
    assert before.legal == [64]
    assert np.flatnonzero(before.observation[128:]).tolist() == [64, 66]
    assert list(before.to_bytes()[64:]) == [2, OPEN, 0]
    assert list(passed.to_bytes()[64:]) == [1, OPEN, 1]
    assert list(after.to_bytes()[64:]) == [1, FIRST, 0]
    assert passed.to_bytes()[:64] == before.to_bytes()[:64]


def test_the_text_of_a_connect4_board_has_its_first_row_at_the_bottom() -> None:
    """Discs are drawn where they come to rest."""
    position = play_line(rules_of("connect4"), [3, 3, 2]).positions[-1]
    assert str(position).splitlines()[-2:] == [". . . Y . . .", ". . R R . . ."]
