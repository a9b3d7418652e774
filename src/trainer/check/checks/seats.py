"""Whether the players can be exchanged as `Seats` says."""

from __future__ import annotations

from trainer.check.findings import Finding, Level
from trainer.check.renaming import Difference, first_difference, of_seats, of_unnamed_words
from trainer.check.subject import Subject
from trainer.games.base import Game, Seats

MEANING = {
    "cells": "The pieces aren't where they should be: look at the tables `cells`, `codes` and `actions` of Seats, and at "
    "whether play treats the two players alike.",
    "legal": "The legal moves aren't those of the exchanged players: look at the table `actions` of Seats, and at whether "
    "the rules treat the two players alike.",
    "mover": "The turn doesn't pass in the same way for both players; play must decide it by state[MOVER] alone.",
    "result": "The results aren't opposite. Rules must find the winner by state[MOVER] or by the pieces, not by counting "
    "moves: if a player can move twice, that gives the win to the wrong one.",
    "view": "Look at the tables `planes`, `features` and `cells` of Seats: the view of the second player must be that of "
    "the first player with the pieces exchanged.",
}


def check_seats(subject: Subject) -> list[Finding] | None:
    """Exchange the players of the first position, and play the same random games in both; None: they can't be exchanged."""
    game = subject.game
    if game.seats is None:
        return None
    if broken := broken_tables(game, game.seats):
        return [Finding(Level.FAILURE, text) for text in broken]
    difference = first_difference(subject, of_seats(game, game.seats), games_played(subject))
    if difference is None:
        return []
    return [Finding(Level.FAILURE, explained(difference) + of_unnamed_words(subject), difference.moves)]


def games_played(subject: Subject) -> int:
    """How many random games `check_seats` plays."""
    return subject.games_worth(100_000_000, subject.game.obs_size)


def explained(difference: Difference) -> str:
    """What happened in the game of the exchanged players."""
    line = ", ".join(map(str, difference.image))
    played = f", and has the moves {line}" if line else ". Before the first move they differ"
    return (
        "The game isn't the same with the players exchanged as Seats says. One game has these moves; the other starts with "
        f"the players exchanged, so player 2 begins{played}. There, {difference.text}. "
        f"{MEANING[difference.what]} If the players differ in direction only, give Seats the tables `cells` and `actions` "
        "of a flip, a transpose or a half turn; if they differ altogether, say seats=None: then the network sees who moves."
    )


def broken_tables(game: Game, seats: Seats) -> list[str]:
    """What is wrong with the tables as such: each must be its own inverse, and all codes must be there."""
    codes = max(len(game.cell_symbols), 3)
    if sorted(seats.codes) != list(range(codes)):
        return [
            f"The table `codes` of Seats must have each number from 0 to {codes - 1} once; it has {len(seats.codes)} "
            f"numbers, {len(set(seats.codes))} different ones."
        ]
    texts = []
    for name, table in vars(seats).items():
        at = next((at for at in range(len(table or ())) if table[table[at]] != at), None)
        if at is not None:
            texts.append(
                f"The table `{name}` of Seats must be its own inverse, because exchanging the players twice changes "
                f"nothing; but {at} becomes {table[at]}, and {table[at]} becomes {table[table[at]]}."
            )
    return texts
