"""The player `rollouts`: what follows from finished games is exact, and each game depends on its own random numbers."""

from __future__ import annotations

import bonsai
import endless
import numpy as np
import piles
import pytest
from registering import registered

from trainer.core.errors import ConfigError
from trainer.evaluators.loader import ModelLoader
from trainer.games import ENV_IDS
from trainer.games.base import DRAW, FIRST, OPEN, SECOND
from trainer.games.positions import Positions
from trainer.games.solving.scored_positions import positions_after, scored_positions_of
from trainer.measure.match import play_match
from trainer.measure.move_quality import measure_move_quality
from trainer.players import PlayerName, RandomPlayer, RolloutPlayer, named_player


def chosen(player: RolloutPlayer, positions: Positions, seed: int = 0) -> list[int]:
    """The moves of a player, each with a generator of its own."""
    generators = [np.random.default_rng([seed, row]) for row in range(len(positions.states))]
    return player.choose(positions, generators).tolist()


def tree(**kinds: int) -> Positions:
    """The root of a small tree (see `bonsai`), with the kinds of some nodes: `n5=FIRST`."""
    positions = Positions(registered(bonsai), 1)
    for node, kind in kinds.items():
        positions.states[0, bonsai.KIND + int(node[1:])] = kind
    return positions


def test_it_wins_and_blocks() -> None:
    """Red wins in column 3, and Yellow must block there."""
    assert chosen(RolloutPlayer("connect4", 300), positions_after("connect4", ["343434", "34343"])) == [3, 3]


@pytest.mark.parametrize("good", [0, 1])
def test_values_change_their_sign_with_the_mover_not_with_the_ply(good: int) -> None:
    """After one action the same player moves again and can win then; after the other the opponent moves and wins.

    Both nodes at the end are won by whoever moves there, so a sign that changes at each ply takes the wrong action.
    """
    again, theirs = 1 + good, 2 - good
    kinds = {
        f"n{again}": bonsai.AGAIN,
        f"n{2 * again + 1}": FIRST,
        f"n{2 * again + 2}": SECOND,
        f"n{2 * theirs + 1}": FIRST,
        f"n{2 * theirs + 2}": SECOND,
    }
    positions = tree(**kinds)
    for simulations in (4, 7, 100):
        assert chosen(RolloutPlayer(registered(bonsai), simulations), positions) == [good]


def test_a_draw_is_better_than_a_loss_and_worse_than_a_win() -> None:
    """The children of the root are finished games."""
    player = RolloutPlayer(registered(bonsai), 3)
    for results, best in (((DRAW, SECOND), 0), ((SECOND, DRAW), 1), ((DRAW, FIRST), 1), ((FIRST, DRAW), 0)):
        assert chosen(player, tree(n1=results[0], n2=results[1])) == [best]


def test_a_game_with_a_list_of_moves_and_extra_turns_is_solved() -> None:
    """In every pile it finds a move that is worth as much as the best one, because it sees all games."""
    positions = Positions(registered(piles), 9)
    for row, stones in enumerate(range(1, 10)):
        positions.states[row, piles.STONES] = stones
    for stones, action in zip(range(1, 10), chosen(RolloutPlayer(registered(piles), 5000), positions), strict=True):
        assert piles.worth(stones, action) == max(piles.worth(stones, a) for a in range(min(3, stones))), stones


def test_it_never_errs_where_it_can_see_all_games() -> None:
    """In tic-tac-toe with at most five empty cells there are fewer than 400 lines, and no move changes the result."""
    scored = scored_positions_of("tictactoe")
    few = np.flatnonzero(scored.positions.legal().sum(axis=1) <= 5)
    assert np.array_equal(few, np.arange(len(few)))  # the last plies come first
    quality = measure_move_quality(scored.select(slice(0, len(few))), RolloutPlayer("tictactoe", 2000))
    assert (quality.total.positions, quality.total.weak) == (len(few), 0)


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_it_plays_every_game_and_beats_random_play(env_id: str) -> None:
    """Legal moves only, to the end of the game."""
    match = play_match(env_id, RolloutPlayer(env_id, 60), RandomPlayer(), 6, seed=1)
    assert (match.winners != OPEN).all()
    assert match.score > 0.5


def test_a_move_depends_on_the_game_s_own_random_numbers_alone() -> None:
    """The same with other rows beside it, and again; not the same with other random numbers."""
    player, positions = RolloutPlayer("connect4", 20), Positions("connect4", 30)
    together = chosen(player, positions)
    assert together == chosen(player, positions)
    assert len(set(together)) > 1
    alone = player.choose(positions.of(positions.states[:1]), [np.random.default_rng([0, 7])])
    assert alone.tolist() == [together[7]]


def test_a_game_without_an_end_is_cut_off() -> None:
    """Playouts last no longer than the game says that games can; then they are draws."""
    env_id = registered(endless)
    assert chosen(RolloutPlayer(env_id, 50), Positions(env_id, 1))[0] in (0, 1)


def test_it_is_found_by_its_name() -> None:
    """With its number of simulations, of which there must be one."""
    assert named_player(PlayerName("rollouts"), ModelLoader("tictactoe"), 70, 1).name == "UCT with 70 rollouts"
    with pytest.raises(ConfigError, match="rollouts needs at least 1 simulation before each move, and was given 0"):
        named_player(PlayerName("rollouts"), ModelLoader("tictactoe"), 0, 1)
