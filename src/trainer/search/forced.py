"""Kernels that look for a win by force within three plies, by the rules alone.

Compiled for each game by `trainer.games.kernels`, which binds `rules`.
"""

from __future__ import annotations

from trainer.games.base import MOVER, OPEN, WINNER, Rules
from trainer.search.tree import Tree

rules: Rules
NUM_ACTIONS: int


def wins_in_three(trees: Tree) -> bool:
    """Whether the mover of `trees.state` can play a move after which every answer of the opponent allows a win at once.

    The legal actions of that position are in `trees.mask`. Only lines in which the turn changes after each move count, and
    of the third moves only those that `wins_next` finds.
    """
    mover = int(trees.state[MOVER])
    after, answers = trees.ahead[0], trees.ahead_masks[0]
    for action in range(NUM_ACTIONS):
        if not trees.mask[action]:
            continue
        for word in range(len(after)):
            after[word] = trees.state[word]
        rules.play(after, action)
        winner = int(after[WINNER])
        if winner == mover:
            return True
        if winner == OPEN and int(after[MOVER]) != mover:
            rules.legal(after, answers, trees.found)
            if not rules.wins_next(after, answers) and every_answer_loses(trees, mover):
                return True
    return False


def every_answer_loses(trees: Tree, mover: int) -> bool:
    """Whether `mover` wins at once after each of the moves `trees.ahead_masks[0]` in the position `trees.ahead[0]`."""
    after, answers = trees.ahead[0], trees.ahead_masks[0]
    last, moves = trees.ahead[1], trees.ahead_masks[1]
    found = False
    for action in range(NUM_ACTIONS):
        if not answers[action]:
            continue
        found = True
        for word in range(len(after)):
            last[word] = after[word]
        rules.play(last, action)
        winner = int(last[WINNER])
        if winner == mover:
            continue
        if winner != OPEN or int(last[MOVER]) != mover:
            return False
        rules.legal(last, moves, trees.found)
        if not rules.wins_next(last, moves):
            return False
    return found
