"""Kernels that look for a win by force, three moves long, whatever network plays.

Compiled for each game by `trainer.games.kernels`, which binds `rules`.
"""

from __future__ import annotations

from trainer.games.base import MOVER, OPEN, WINNER, Rules
from trainer.search.tree import Tree

rules: Rules
NUM_ACTIONS: int


def wins_in_three(trees: Tree) -> bool:
    """Whether the mover of `trees.state` has a move after which that player wins at once, whatever the opponent answers.

    The legal actions of that position are in `trees.mask`. Wins that `wins_next` misses are missed here.
    """
    mover = int(trees.state[MOVER])
    after, answers = trees.ahead[0], trees.ahead_masks[0]
    for action in range(NUM_ACTIONS):
        if not trees.mask[action]:
            continue
        for word in range(len(after)):
            after[word] = trees.state[word]
        rules.play(after, action)
        if int(after[WINNER]) != OPEN or int(after[MOVER]) == mover:
            continue
        rules.legal(after, answers, trees.found)
        if not rules.wins_next(after, answers) and every_answer_loses(trees, mover):
            return True
    return False


def every_answer_loses(trees: Tree, mover: int) -> bool:
    """Whether `mover` wins at once after each of the moves `trees.ahead_masks[0]` in the position `trees.ahead[0]`."""
    after, answers = trees.ahead[0], trees.ahead_masks[0]
    last, moves = trees.ahead[1], trees.ahead_masks[1]
    for action in range(NUM_ACTIONS):
        if not answers[action]:
            continue
        for word in range(len(after)):
            last[word] = after[word]
        rules.play(last, action)
        if int(last[WINNER]) != OPEN or int(last[MOVER]) != mover:
            return False
        rules.legal(last, moves, trees.found)
        if not rules.wins_next(last, moves):
            return False
    return True
