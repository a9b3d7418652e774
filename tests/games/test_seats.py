"""Exchanging the players: what `Seats` says must be true of the rules."""

from __future__ import annotations

import numpy as np
import pytest
from lines_of_play import random_lines

from trainer.games import ENV_IDS, game_of
from trainer.games.base import MOVER
from trainer.games.layout import layout_of
from trainer.games.position import Position

SMALL = ("hex:size=2", "hex:size=9", "dots:rows=1,columns=2", "dots:rows=3,columns=2")
WITH_SEATS = [env_id for env_id in (*ENV_IDS, *SMALL) if game_of(env_id).seats]


def exchanged(position: Position) -> Position:
    """The position with the players exchanged, from its cells."""
    game = game_of(position.rules.GAME.env_id)
    seats = game.seats
    assert seats is not None
    codes = np.array(seats.codes, np.uint8)
    state = position.state.copy()
    state[MOVER] = 3 - position.mover
    cells = position.cells[list(seats.cells)] if seats.cells else position.cells
    position.rules.from_cells(codes[cells], state)
    return Position(position.rules, state)


@pytest.mark.parametrize("env_id", WITH_SEATS)
def test_a_game_with_the_players_exchanged_is_the_same_game(env_id: str) -> None:
    """The exchanged first position, and in it the exchanged actions: equal views, other movers, other winners."""
    game = game_of(env_id)
    layout = layout_of(game)
    assert layout.exchange is not None
    np.testing.assert_array_equal(layout.exchange[layout.exchange], np.arange(layout.end))
    actions = layout.actions if layout.actions is not None else np.arange(game.num_actions)
    for line in random_lines(env_id, 10)[:5]:
        other = exchanged(line.positions[0])
        for ply, position in enumerate(line.positions):
            assert other.mover == 3 - position.mover
            assert other.winner == [0, 2, 1, 3][position.winner]
            assert other.to_bytes()[: game.num_cells] == exchanged(position).to_bytes()[: game.num_cells]
            np.testing.assert_array_equal(other.observation[layout.exchange], position.observation[: layout.end])
            if ply < len(line.actions):
                other = other.play(int(actions[line.actions[ply]]))


@pytest.mark.parametrize("env_id", [*ENV_IDS, *SMALL])
def test_words_outside_the_key_change_neither_the_moves_nor_the_view(env_id: str) -> None:
    """Search keeps evaluations by the first words of a state, so the others must not matter to them."""
    game = game_of(env_id)
    generator = np.random.default_rng(5)
    for line in random_lines(env_id, 10)[:5]:
        for position in line.positions:
            state = position.state.copy()
            state[game.deciding_words :] ^= generator.integers(
                2**63, size=len(state) - game.deciding_words, dtype=np.uint64
            )
            scrambled = Position(position.rules, state)
            assert scrambled.legal == position.legal
            assert scrambled.observation.tolist() == position.observation.tolist()
