"""Whether the words beyond `key_words` decide nothing that the words before them don't."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.check.alike import Pair, effects, games_compared, pairs_alike
from trainer.check.findings import Examples, Finding, Level
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.games.base import Game

TAILS = 5_000
"""Contents of raw words, of positions of the games, that are put into other positions."""
MOST_WORDS = 10_000_000
"""In all these contents together."""


def check_key(subject: Subject) -> list[Finding] | None:
    """Positions with the same key must show the same, and every move must have the same effect; None: all words are the key.

    Words that are worked out from the key only save time, and are allowed; raw words beyond the key are history. What
    history decides about later positions may be left out of account on purpose, so that is a note.
    """
    if subject.game.deciding_words == subject.game.state_words:
        return None
    return check_history(subject) or check_pairs(subject)


def games_played(subject: Subject) -> int:
    """In how many random games `check_key` looks."""
    compared = games_compared(subject, subject.game.state_words)
    return min(games_of_history(subject), compared) if subject.game.has_history else compared


def games_of_history(subject: Subject) -> int:
    """In how many random games `check_history` looks."""
    return subject.games_worth(60_000_000, subject.game.obs_size)


def check_history(subject: Subject) -> list[Finding]:
    """Put the raw words beyond the key of other positions, and zeros, into each position: it must show the same."""
    game = subject.game
    begin = game.history_begin
    if not game.has_history:
        return []
    count = games_of_history(subject)
    tails = tails_of(subject, count, begin)
    generator = subject.numbers(1)
    examples, games = Examples(), RandomGames(subject, count)
    for ply in games:
        shown = ply.before.observation()
        for zeros in (False, True):
            states = ply.before.states.copy()
            states[:, begin:] = 0 if zeros else tails[generator.integers(len(tails), size=len(states))]
            other = ply.before.of(states).observation()
            examples.add(
                "history",
                (shown != other).any(axis=1),
                lambda row, shown=shown, other=other: failed(  # type: ignore[misc]
                    game, begin, first_difference(game, shown[row], other[row])
                ),
                lambda row, ply=ply: games.moves(int(ply.games[row]), ply.number),  # type: ignore[misc]
            )
        if examples:
            break
    return examples.findings()


def tails_of(subject: Subject, count: int, begin: int) -> NDArray[np.uint64]:
    """The words from `begin` on of some positions of random games, uint64 [at most TAILS, words].

    All positions are equally likely to be among them. Histories can be long, so no others are kept (reservoir sampling,
    Vitter 1985).
    """
    words = subject.game.state_words - begin
    size = int(np.clip(MOST_WORDS // words, 1, TAILS))
    kept = np.zeros((size, words), np.uint64)
    generator, seen = subject.numbers(2), 0
    for ply in RandomGames(subject, count):
        numbers = seen + np.arange(len(ply.games))
        places = np.where(numbers < size, numbers, generator.integers(numbers + 1))
        stays = places < size
        kept[places[stays]] = ply.before.states[stays, begin:]
        seen += len(numbers)
    return kept[:seen]


def check_pairs(subject: Subject) -> list[Finding]:
    """Compare positions of random games that have the same key and differ beyond it."""
    game = subject.game
    key = game.deciding_words
    pairs = pairs_alike(
        subject,
        games_compared(subject, game.state_words),
        lambda positions: np.ascontiguousarray(positions.states[:, :key]).view(np.uint8),
        lambda one, two: (one[:, key:] != two[:, key:]).any(axis=1),
    )
    if not pairs:
        return []
    plain = subject.first(0)
    one, two = plain.of(np.array([pair.one for pair in pairs])), plain.of(np.array([pair.two for pair in pairs]))
    shown, other = one.observation(), two.observation()
    now = np.flatnonzero((shown != other).any(axis=1))
    if len(now):
        at = int(now[0])
        return [explained(game, pairs[at], first_difference(game, shown[at], other[at]), Level.FAILURE)]
    found = effects(one, two)
    later = np.flatnonzero(found.differs)
    if not len(later):
        return []
    of_move = found.pair[later]
    plain_words = game.state_words - game.raw_words
    raw = (one.states[of_move, :plain_words] == two.states[of_move, :plain_words]).all(axis=1)
    chosen = int(raw.argmin())  # the first that isn't only a matter of raw words, if there is one
    what = f"what action {found.actions[later[chosen]]} leads to"
    return [explained(game, pairs[int(of_move[chosen])], what, Level.NOTE if raw.all() else Level.FAILURE)]


def explained(game: Game, pair: Pair, what: str, level: Level) -> Finding:
    """What two positions show that are the same to the search."""
    words = np.flatnonzero(pair.one != pair.two)
    line = ", ".join(map(str, pair.moves_one))
    taken = "has one evaluation for both" if game.has_history else "takes them for the same"
    text = (
        f"This position and the one after the moves {line} have the same first {game.deciding_words} words, so search "
        f"{taken}; but they differ in {what}. They differ in word {', '.join(map(str, words[:6]))}. "
    )
    if level is Level.NOTE:
        text += "These are raw words beyond the key: a history that is left out of account on purpose."
    else:
        text += "Raise key_words to include every word that decides something."
    return Finding(level, text, pair.moves_two)


def failed(game: Game, begin: int, what: str) -> str:
    """What to say of history that decides what a position shows."""
    last = game.state_words - 1
    words = f"state[{begin}]" if begin == last else f"state[{begin}] to state[{last}]"
    return (
        f"A raw word beyond the key ({words}) decides {what} of this position: it changes if these words are another "
        f"position's. Search has one evaluation for positions whose first {game.deciding_words} words are the same. Raise "
        "key_words, or work out what is needed of the history in play and keep it in a word of the key."
    )


def first_difference(game: Game, shown: NDArray[np.float32], other: NDArray[np.float32]) -> str:
    """What the first number is in which two observations differ."""
    place = int(np.flatnonzero(shown != other)[0])
    if place < game.legal_mask_offset:
        return f"number {place} of what the network sees"
    if place < game.obs_size - 2:
        return f"whether action {place - game.legal_mask_offset} is legal"
    return "the player to move"
