"""Whether the declared symmetries hold, and whether others do."""

from __future__ import annotations

from trainer.check.candidates import board_symmetries, names_of_pictures
from trainer.check.findings import Finding, Level
from trainer.check.renaming import Difference, first_difference, of_symmetry, of_unnamed_words
from trainer.check.subject import Subject
from trainer.games.base import Game
from trainer.games.symmetry import Symmetry

MEANING = {
    "cells": "The pieces aren't where they should be, so the table of actions or that of cells is wrong.",
    "legal": "The pieces are where they should be, but the legal moves aren't: either the table of actions doesn't belong "
    "to that of cells, or the rules treat the directions of the board differently.",
    "mover": "The rules treat the directions of the board differently.",
    "result": "The rules treat the directions of the board differently: only one of the two games has this result.",
    "view": "Planes follow the table of cells and features stay as they are under a symmetry; `features` shows something "
    "that doesn't.",
}


def check_symmetries(subject: Subject) -> list[Finding]:
    """Look at the first symmetry, then play the image of each random game under each symmetry."""
    game = subject.game
    if game.symmetries and game.symmetries[0] != identity(game):
        return [Finding(Level.FAILURE, "Symmetry 0 of GAME must be the identity: cells and actions in their order.")]
    findings = []
    names = names_of_pictures(game)
    count = games_played(subject)
    for number, symmetry in enumerate(game.symmetries):
        difference = first_difference(subject, of_symmetry(game, symmetry), count)
        if difference:
            name = names.get(symmetry.cells)
            title = f"Symmetry {number} of GAME ({name})" if name else f"Symmetry {number} of GAME"
            text = f"{title} doesn't hold. {explained(difference)}{of_unnamed_words(subject)}"
            findings.append(Finding(Level.FAILURE, text, difference.moves))
    return findings or [*missing_products(game), *undeclared(subject, count)]


def games_played(subject: Subject) -> int:
    """How many random games `check_symmetries` plays for each symmetry."""
    return subject.games_worth(40_000_000, subject.game.obs_size * max(1, len(subject.game.symmetries)))


def explained(difference: Difference) -> str:
    """What happened in the image of a game."""
    line = ", ".join(map(str, difference.image)) or "none: it is the first position"
    return (
        f"After these moves and, on the other board, their images ({line}), {difference.text}. "
        f"{MEANING[difference.what]} A symmetry that doesn't hold trains the network on positions that are false."
    )


def identity(game: Game) -> Symmetry:
    """The symmetry that changes nothing."""
    return Symmetry(tuple(range(game.num_cells)), tuple(range(game.num_actions)))


def missing_products(game: Game) -> list[Finding]:
    """A failure if one symmetry after another is none of the declared ones, or if one is declared twice."""
    declared = set(game.symmetries)
    if len(declared) < len(game.symmetries):
        return [Finding(Level.FAILURE, "Two symmetries of GAME are the same; leave out one of them.")]
    for i, one in enumerate(game.symmetries):
        for k, then in enumerate(game.symmetries):
            both = Symmetry(tuple(one.cells[c] for c in then.cells), tuple(one.actions[a] for a in then.actions))
            if both not in declared:
                text = (
                    f"Symmetry {i} of GAME followed by symmetry {k} is a symmetry, too, and isn't declared; declare it."
                )
                return [Finding(Level.FAILURE, text)]
    return []


def undeclared(subject: Subject, count: int) -> list[Finding]:
    """A note if symmetries of the board hold that GAME doesn't declare."""
    game = subject.game
    declared = set(game.symmetries) or {identity(game)}
    names = [
        name
        for name, symmetry in board_symmetries(game)
        if symmetry not in declared and not first_difference(subject, of_symmetry(game, symmetry), count)
    ]
    if not names:
        return []
    return [
        Finding(
            Level.NOTE,
            f"GAME doesn't declare {', '.join(names)}, which held in {count:,} random games. The trainer learns from the "
            "images of each position, so declare what the rules guarantee (see trainer.games.symmetry), unless play never "
            "meets such images because Seats turns the board.",
        )
    ]
