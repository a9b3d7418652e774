"""The look for wins by force, against plain play."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lines_of_play import play_line

from trainer.core.errors import GameError
from trainer.evaluators.uniform import uniform
from trainer.games import rules_of
from trainer.games.base import OPEN
from trainer.games.library import find_game
from trainer.games.position import Position
from trainer.search import Search
from trainer.search.tree import LOSS

# Games of Othello, up to a position in which some moves allow the opponent to take all discs within three moves.
LINES = [
    [26, 20, 45, 42, 44, 34, 50, 43, 13],
    [44, 43, 34, 45, 20, 26, 52, 37, 46, 42, 41],
    [19, 20, 21, 12, 3, 26, 44, 29, 18, 11, 4, 34, 42, 13, 22, 43, 50, 37, 38],
]


def wins_within(position: Position, moves: int) -> bool:
    """Whether the mover can force a win within so many moves of both players (1 or 3)."""
    for action in position.legal:
        after = position.play(action)
        if after.winner == position.mover:
            return True
        answers = after.legal
        if moves > 1 and answers and all(wins_within(after.play(answer), moves - 2) for answer in answers):
            return True
    return False


def losing_moves(position: Position) -> set[int]:
    """The moves after which the opponent wins by force within three."""
    return {action for action in position.legal if wins_within(position.play(action), 3)}


@pytest.mark.parametrize("actions", LINES)
def test_moves_that_lose_by_force_are_proven_lost(actions: list[int]) -> None:
    """Each of the root's moves is visited; those and no others are proven losses, and the search plays none of them."""
    position = play_line(rules_of("othello"), actions).positions[-1]
    search = Search("othello", 1, 60)
    visits, _ = search.run(position.state[None], 60, uniform)
    moves = search.root_moves(0)
    assert moves.visits.all()
    found = set(moves.actions[moves.proven == LOSS].tolist())
    assert found == losing_moves(position)
    assert 0 < len(found) < len(position.legal)
    assert visits[0, sorted(found)].sum() == 0


def test_the_kernel_agrees_with_plain_play() -> None:
    """After each move in the last position of a game; it changes neither the position nor the legal moves."""
    search = Search("othello", 1, 1)
    trees, kernels = search.tree, search.kernels.forced
    seen = {True: 0, False: 0}
    for actions in LINES:
        before = play_line(rules_of("othello"), actions).positions[-1]
        for position in map(before.play, before.legal):
            trees.state[:] = position.state
            trees.mask[:] = False
            trees.mask[position.legal] = True
            found = bool(kernels.wins_in_three(trees))
            assert found == wins_within(position, 3), f"{position}"
            assert trees.state.tolist() == position.state.tolist()
            assert np.flatnonzero(trees.mask).tolist() == position.legal
            seen[found] += 1
    assert min(seen.values()) > 5


def test_an_answer_may_be_a_pass() -> None:
    """Black takes one of two white discs; white, who has the other, must pass, and black takes that, too."""
    cells = np.zeros(64, np.uint8)
    cells[[0, 1, 56, 57]] = 1, 2, 1, 2
    position = Position.from_bytes(rules_of("othello"), cells.tobytes() + bytes([1, OPEN, 0]))
    assert [position.play(2).legal, wins_within(position, 1), wins_within(position, 3)] == [[64], False, True]
    search = Search("othello", 1, 1)
    search.tree.state[:] = position.state
    search.tree.mask[:] = False
    search.tree.mask[position.legal] = True
    assert search.kernels.forced.wins_in_three(search.tree)
    answers = search.tree.ahead_masks[0]
    answers[:] = False
    assert not search.kernels.forced.every_answer_loses(search.tree, 1), "there is no answer"


def test_games_that_ask_for_it_need_wins_next(tmp_path: Path) -> None:
    """Otherwise nothing would know a win."""
    text = find_game("othello").text.decode().replace("def wins_next", "def no_wins_next")
    path = tmp_path / "mine.py"
    path.write_text(text.replace('env_id="othello"', 'env_id="mine"'))
    with pytest.raises(GameError, match=r"mine\.py sets forced_wins, so it needs wins_next\(state, mask\)"):
        find_game(str(path))
