"""Whether the words beyond `key_words` decide nothing."""

from __future__ import annotations

import numpy as np

from trainer.check.findings import Examples, Finding
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject

TAILS = 5_000
"""Contents of those words, of positions of the games, that are put into other positions."""


def check_key(subject: Subject) -> list[Finding]:
    """Put other positions' words beyond the key into each position: what it shows must stay the same, also after a move.

    They are words that the rules have written, so that counters and indices among them have possible values; zeros are tried
    too.
    """
    game = subject.game
    key = game.deciding_words
    if key == game.state_words:
        return []
    count = subject.games_within(60_000_000, game.obs_size)
    tails = tails_of(subject, count)
    generator = subject.numbers(1)
    examples, games = Examples(), RandomGames(subject, count)
    for ply in games:
        for zeros in (False, True):
            states = ply.before.states.copy()
            states[:, key:] = 0 if zeros else tails[generator.integers(len(tails), size=len(states))]
            other = ply.before.of(states)
            compare(examples, games, ply, 0, key, ply.before.observation(), other.observation(), None)
            if examples:
                return examples.findings()
            other.play(np.arange(len(states)), ply.actions)
            results = ply.after.winner != other.winner
            compare(examples, games, ply, 1, key, ply.after.observation(), other.observation(), results)
            if examples:
                return examples.findings()
    return examples.findings()


def tails_of(subject: Subject, count: int) -> np.ndarray:
    """The words beyond the key of positions of random games, uint64 [any number, words]."""
    key = subject.game.deciding_words
    found = [ply.before.states[:, key:] for ply in RandomGames(subject, count)]
    everything = np.concatenate(found)
    return everything[subject.numbers(2).permutation(len(everything))[:TAILS]]


def compare(examples, games, ply, more, key, shown, other, results) -> None:  # type: ignore[no-untyped-def]
    """Note the positions that show something else, `more` plies after those of the ply began."""
    different = (shown != other).any(axis=1)
    if results is not None:
        different |= results
    game = ply.before.game

    last = game.state_words - 1
    beyond = f"state[{key}]" if key == last else f"state[{key}] to state[{last}]"

    def describe(row: int) -> str:
        places = np.flatnonzero(shown[row] != other[row])
        if not len(places):
            what = "the result of the last move"
        elif places[0] < game.legal_mask_offset:
            what = f"number {places[0]} of what the network sees"
        elif places[0] < game.obs_size - 2:
            what = f"whether action {places[0] - game.legal_mask_offset} is legal"
        else:
            what = "the player to move"
        return (
            f"A word beyond the key ({beyond}) decides {what}: it changes if "
            f"these words are another position's{' before the last move' if more else ''}. Search takes positions for the "
            f"same if their first {key} words are the same. Raise key_words to include every word that decides something."
        )

    examples.add("key", different, describe, lambda row: games.moves(int(ply.games[row]), ply.number + more))
