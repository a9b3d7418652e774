"""Whether search proves what the exact solution of a small game says."""

from __future__ import annotations

import numpy as np

from trainer.check.exact import Solution, line_to
from trainer.check.findings import Finding, Level
from trainer.check.subject import Subject
from trainer.evaluators.uniform import uniform
from trainer.games.base import FIRST
from trainer.search import Search, SearchConfig
from trainer.search.tree import DRAWN, EDGE, NODE, UNKNOWN

SAMPLE = 256
"""Positions that are searched."""
ROUNDS = ((32, 400, SAMPLE), (32, 10_000, SAMPLE), (2, 600_000, 12))
"""Searches at once, simulations, and positions at most: of all of them first, then of those that aren't settled."""
MEMORY = 400_000_000
"""Bytes of trees, at most. Only those that a search reaches are touched."""
SETTINGS = SearchConfig(c_puct=100.0, cache=2**14)
"""A search that visits all moves about equally often proves sooner. Evaluations are kept in a cache, so that positions which
it takes for the same by mistake give wrong proofs, too."""
WORDS = {1: "wins", 0: "draws", -1: "loses"}


def check_solved(subject: Subject, solution: Solution) -> list[Finding]:
    """Search the first position and a sample of the others; compare what is proven of each move with the solution."""
    sample = sampled(subject, solution)
    wrong: list[tuple[int, int, int, int]] = []  # ply, row, action, what search proved
    places = 16  # bytes, at most, in the table of known positions
    node = NODE.itemsize + 8 * subject.game.state_words + EDGE.itemsize * subject.game.most_moves + places
    for slots, most, positions in ROUNDS:
        simulations = min(most, MEMORY // (slots * node))
        left = sample[positions:]
        sample = [*searched(subject, solution, sample[:positions], (slots, simulations), wrong), *left]
        if wrong or not sample:
            break
    if wrong:
        return [explained(subject, solution, *wrong[0])]
    if sample:
        text = f"Search with {simulations:,} simulations left {len(sample)} positions unproven, which isn't a mistake."
        return [Finding(Level.NOTE, text)]
    return []


def sampled(subject: Subject, solution: Solution) -> list[tuple[int, int]]:
    """The first position and others, as (ply, row), the same number of each ply as far as it has them."""
    generator = subject.numbers(3)
    share = max(1, SAMPLE // len(solution.plies))
    picked = []
    for number, ply in enumerate(solution.plies):
        rows = generator.permutation(len(ply.states))[:share]
        picked += [(number, int(row)) for row in rows]
    return picked


def searched(
    subject: Subject,
    solution: Solution,
    sample: list[tuple[int, int]],
    size: tuple[int, int],
    wrong: list[tuple[int, int, int, int]],
) -> list[tuple[int, int]]:
    """Search a sample; returns the positions that aren't settled, and adds wrong proofs to `wrong`.

    `size`: searches at once, and simulations.
    """
    slots, simulations = size
    search = Search(subject.env_id, slots, simulations, SETTINGS)
    unsettled = []
    for first in range(0, len(sample), slots):
        part = sample[first : first + slots]
        search.run(np.array([solution.plies[ply].states[row] for ply, row in part]), simulations, uniform)
        for slot, (ply, row) in enumerate(part):
            moves = search.root_moves(slot)
            exact = exact_moves(solution, ply, row)
            for action, proven in zip(moves.actions, moves.proven, strict=True):
                if proven != UNKNOWN and int(proven) - DRAWN != exact[int(action)]:
                    wrong.append((ply, row, int(action), int(proven) - DRAWN))
            best = max(exact.values())
            known = [int(proven) - DRAWN for proven in moves.proven if proven != UNKNOWN]
            if not ((best == 1 and 1 in known) or len(known) == len(exact)):
                unsettled.append((ply, row))
    return unsettled


def exact_moves(solution: Solution, number: int, row: int) -> dict[int, int]:
    """The exact value of each move of a position, for its mover."""
    ply = solution.plies[number]
    sign = 1 if ply.states[row, 0] == FIRST else -1
    at = slice(*np.searchsorted(ply.rows, [row, row + 1]))
    actions, values = ply.actions[at], solution.moves[number][at]
    return {int(action): sign * int(value) for action, value in zip(actions, values, strict=True)}


def explained(subject: Subject, solution: Solution, number: int, row: int, action: int, proven: int) -> Finding:
    """A wrong proof, with the moves that lead to its position."""
    mover = int(solution.plies[number].states[row, 0])
    exact = exact_moves(solution, number, row)[action]
    why = "wins_next, which search believes without looking, or " if subject.has("wins_next") else ""
    return Finding(
        Level.FAILURE,
        f"Search comes to a wrong conclusion. Player {mover} is to move; visiting every position shows that action {action} "
        f"{WORDS[exact]}, but search has proven that it {WORDS[proven]}. Look at {why}a result that play gives to the wrong "
        "player when a player moves twice in a row, or words that decide something beyond key_words. If it is none of "
        "these, it is a mistake of the search: please report it, with the file of the game.",
        line_to(solution.plies, number, row),
    )
