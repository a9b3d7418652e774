"""Whether positions survive being stored."""

from __future__ import annotations

import numpy as np

from trainer.check.findings import Examples, Finding
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.games.base import FLAGS


def check_stored(subject: Subject) -> list[Finding]:
    """Store each position of random games, restore it, and compare all words."""
    examples, games = Examples(), RandomGames(subject, subject.games)
    for ply in games:
        back = subject.restored(ply.after.stored())
        wrong = back != ply.after.states

        def describe(row: int, wrong=wrong, back=back, after=ply.after) -> str:  # type: ignore[no-untyped-def]
            word = int(np.flatnonzero(wrong[row])[0])
            return (
                f"Stored and restored, word {word} of this position is {back[row, word]} instead of "
                f"{after.states[row, word]}. Only the cells, the flags (words {FLAGS} to "
                f"{FLAGS + subject.game.flag_words - 1}) and the raw words at the end are stored, so from_cells must work "
                "out all other words from the cells. What it can't work out belongs to flag_words or raw_words."
            ).replace(f"the flags (words {FLAGS} to {FLAGS - 1})", "the flags (there are none)")

        def moves_of(row: int, ply=ply) -> tuple[int, ...]:  # type: ignore[no-untyped-def]
            return games.moves(int(ply.games[row]), ply.number + 1)

        examples.add("restored", wrong.any(axis=1), describe, moves_of)
        if examples:
            break
    return examples.findings()
