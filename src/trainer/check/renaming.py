"""A renaming of cells, codes, actions and players, and whether the game stays the same under it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, Game, Seats, State, opponent_of
from trainer.games.layout import exchange_of, view_table
from trainer.games.state_blob import parts_of
from trainer.games.symmetry import Symmetry

Table = NDArray[np.int64]
ITSELF = np.arange(256)


@dataclass(frozen=True, eq=False)
class Renaming:
    """Tables by which the image of a position follows from the position: `image = position[table]`."""

    cells: Table
    codes: Table
    """Code k becomes codes[k]."""
    actions: Table
    view: Table
    """Of the numbers of an observation before the seat flags."""
    exchanges: bool
    """Whether the players change places."""


def of_symmetry(game: Game, symmetry: Symmetry) -> Renaming:
    """The renaming of a symmetry: planes and features stay."""
    cells, actions = np.array(symmetry.cells), np.array(symmetry.actions)
    view = view_table(np.arange(game.planes), cells, np.arange(game.features), actions)
    return Renaming(cells, ITSELF, actions, view, False)


def of_seats(game: Game, seats: Seats) -> Renaming:
    """The renaming that exchanges the players."""
    cells = np.array(seats.cells) if seats.cells else np.arange(game.num_cells)
    actions = np.array(seats.actions) if seats.actions else np.arange(game.num_actions)
    return Renaming(cells, np.array(seats.codes), actions, exchange_of(game, seats), True)


@dataclass(frozen=True)
class Difference:
    """Where a game and its image first differ."""

    what: str
    """"cells", "legal", "mover", "result" or "view"."""
    text: str
    moves: tuple[int, ...]
    """Of the game."""
    image: tuple[int, ...]
    """Of its image."""


def first_difference(subject: Subject, renaming: Renaming, count: int) -> Difference | None:
    """Play random games and beside each its image, from the image of the first position; None: all is the same."""
    games = RandomGames(subject, count)
    first = subject.first(1)
    image = image_of_first(subject, renaming, first.states, count)
    inverse = np.argsort(renaming.actions)
    images = first.of(image)
    found = compared(subject, renaming, first.states, image[:1])
    if found:
        return Difference(found[1], found[2], (), ())
    rows = np.arange(count)
    for ply in games:
        images = images.of(images.states[np.searchsorted(rows, ply.games)])
        rows = ply.games
        images.play(np.arange(len(rows)), inverse[ply.actions])
        found = compared(subject, renaming, ply.after.states, images.states)
        if found:
            moves = games.moves(int(ply.games[found[0]]), ply.number + 1)
            return Difference(found[1], found[2], moves, tuple(int(inverse[move]) for move in moves))
    return None


def image_of_first(subject: Subject, renaming: Renaming, first: State, count: int) -> State:
    """The image of the first position, `count` times. Its flags and raw words are those of the first position."""
    stored = subject.first(0).of(first).stored()
    parts = parts_of(subject.game, stored)
    parts.cells[:] = renaming.codes[parts.cells][:, renaming.cells]
    if renaming.exchanges:
        parts.words[:, MOVER] = opponent_of(parts.words[:, MOVER])
    return np.repeat(subject.restored(stored), count, axis=0)


def of_unnamed_words(subject: Subject) -> str:
    """What to add to a difference if the first position has words whose image the check doesn't know; mostly nothing."""
    game, first = subject.game, subject.first(1).states[0]
    if not first[FLAGS : FLAGS + game.flag_words].any() and not first[game.state_words - game.raw_words :].any():
        return ""
    return (
        " The first position has flags or raw words other than 0, and this check doesn't rename those. If one of them names "
        "a cell or belongs to one of the players, this may not be a mistake; let it begin with 0 to be sure."
    )


def compared(subject: Subject, renaming: Renaming, states: State, images: State) -> tuple[int, str, str] | None:
    """The first row in which the image [R, S] isn't that of the position [R, S]: the row, what differs, and how."""
    game = subject.game
    plain = subject.first(0)
    ours, theirs = plain.of(states), plain.of(images)
    board = renaming.codes[subject.cells(states)][:, renaming.cells]
    wrong = board != subject.cells(images)
    if wrong.any():
        row, cell = (int(each[0]) for each in np.nonzero(wrong))
        return (
            row,
            "cells",
            f"cell {cell} should have code {board[row, cell]}, but has {subject.cells(images)[row, cell]}",
        )
    if not np.array_equal(results := exchanged(ours.winner, renaming, DRAW), theirs.winner):
        row = int(np.flatnonzero(results != theirs.winner)[0])
        return row, "result", f"state[WINNER] should be {results[row]}, but is {theirs.winner[row]}"
    if not np.array_equal(movers := exchanged(ours.mover, renaming, 0), theirs.mover):
        row = int(np.flatnonzero(movers != theirs.mover)[0])
        return row, "mover", f"state[MOVER] should be {movers[row]}, but is {theirs.mover[row]}"
    legal = subject.legal(states)[:, renaming.actions]
    other = subject.legal(images)
    if (legal != other).any():
        row, action = (int(each[0]) for each in np.nonzero(legal != other))
        return (
            row,
            "legal",
            f"action {action} should {'' if legal[row, action] else 'not '}be legal, and it is"
            f"{'' if other[row, action] else ' not'}",
        )
    view = ours.observation()[:, renaming.view]
    shown = theirs.observation()[:, : game.obs_size - 2]
    if (view != shown).any():
        row, place = (int(each[0]) for each in np.nonzero(view != shown))
        return row, "view", f"{named(game, place)} should be {view[row, place]:g}, but is {shown[row, place]:g}"
    return None


def exchanged(players: NDArray[np.int64], renaming: Renaming, more: int) -> NDArray[np.int64]:
    """Movers or winners with 1 and 2 exchanged if the renaming does so; 0 and `more` stay."""
    table = np.array([OPEN, 2, 1, DRAW] if renaming.exchanges else [OPEN, 1, 2, DRAW], np.int64)
    found: NDArray[np.int64] = table[players]
    return found


def named(game: Game, place: int) -> str:
    """What a number of an observation is."""
    if place < game.planes * game.num_cells:
        return f"plane {place // game.num_cells} of the network's view, cell {place % game.num_cells},"
    return f"feature {place - game.planes * game.num_cells} of the network's view"
