"""What the rules promise about every position: movers, results, legal moves, cells, features, the length of games."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.check.checks.crashes import crash
from trainer.check.findings import NO_MOVE, RESULTS, TOO_LONG, Examples, Finding, MovesOf
from trainer.check.random_games import Ply, RandomGames
from trainer.check.subject import Subject
from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Mask, State

GARBAGE = np.uint64(0x0102030405060708)
"""What a state may hold before `start`."""


def check_promises(subject: Subject) -> list[Finding]:
    """Play random games and look at each position, up to the first ply at which something is wrong."""
    examples, games = Examples(), RandomGames(subject, subject.games)
    try:
        look_at_first(subject, examples)
        plies = iter(games) if not examples else iter(())
        for ply in plies:
            look_at(subject, ply, games, examples)
            if examples:
                break
        else:
            look_at_end(subject, games, examples)
    except IndexError:
        return [*examples.findings(), crash(subject, games)]
    return examples.findings()


def look_at_first(subject: Subject, examples: Examples) -> None:
    """What a first position must be."""
    first = subject.first(1)
    mover, winner = first.states[0, [MOVER, WINNER]].tolist()
    examples.add(
        "first mover",
        np.array([mover != 1]),
        lambda row: f"In the first position state[MOVER] is {mover}, but player 1 must begin; set it to 1 in start.",
        lambda row: (),
    )
    examples.add(
        "first winner",
        np.array([winner != OPEN]),
        lambda row: f"In the first position state[WINNER] is {winner}, but the game must be OPEN (0).",
        lambda row: (),
    )
    if not examples:
        look_at_position(subject, first.states, first.states, examples, lambda row: ())
        look_at_start(subject, first.states[0], examples)


def look_at_start(subject: Subject, first: NDArray[np.uint64], examples: Examples) -> None:
    """What `start` must write: every word. `first` [S]: what it makes of zeros."""
    states = np.full((1, len(first)), GARBAGE, np.uint64)
    subject.kernels.probes.begin(states)
    left = np.flatnonzero(states[0] != first)
    examples.add(
        "start",
        np.array([len(left) > 0]),
        lambda row: (
            f"start leaves word {listed(left)} of the state as it was; it must write every word, because the state holds "
            "the position of another game when it is called."
        ),
        lambda row: (),
    )


def look_at(subject: Subject, ply: Ply, games: RandomGames, examples: Examples) -> None:
    """What a move must leave behind."""

    def moves_of(row: int) -> tuple[int, ...]:
        return games.moves(int(ply.games[row]), ply.number + 1)

    before, after = ply.before.states, ply.after.states
    mover, winner = after[:, MOVER], after[:, WINNER]
    examples.add(
        "mover",
        (mover != 1) & (mover != 2),
        lambda row: f"After the last of these moves state[MOVER] is {mover[row]}; it must be 1 or 2.",
        moves_of,
    )
    examples.add(
        "winner",
        winner > DRAW,
        lambda row: (
            f"After the last of these moves state[WINNER] is {winner[row]}; it must be one of {', '.join(RESULTS)}."
        ),
        moves_of,
    )
    examples.add(
        "last mover",
        (winner != OPEN) & (mover != before[:, MOVER]),
        lambda row: (
            f"The game is over, but state[MOVER] is {mover[row]} though player {before[row, MOVER]} moved last; "
            "play must leave MOVER as it is when the game ends."
        ),
        moves_of,
    )
    if not examples:
        look_at_position(subject, after, before, examples, moves_of)


def look_at_position(subject: Subject, states: State, before: State, examples: Examples, moves_of: MovesOf) -> None:
    """What must hold in every position, finished or not. `states`, `before` [R, S]."""
    game, kept = subject.game, states.copy()
    legal = subject.legal(states)
    count, winner = subject.moves_allowed(states), states[:, WINNER]
    garbage = np.not_equal(subject.legal(states, garbage=True), legal).any(axis=1)

    def unwritten(row: int) -> str:
        places = np.flatnonzero(subject.legal(states, garbage=True)[row] != legal[row])
        return (
            f"legal leaves {listed(places)} of the mask as it was; it must write True or False to every place, because the "
            "mask holds the moves of another position when it is called."
        )

    examples.add("mask", garbage, unwritten, moves_of)
    examples.add(
        "no move",
        (winner == OPEN) & (count == 0),
        lambda row: NO_MOVE.format(mover=states[row, MOVER]),
        moves_of,
    )
    examples.add(
        "move after the end",
        (winner != OPEN) & (count > 0),
        lambda row: (
            f"The game is over (state[WINNER] is {winner[row]}), but legal still allows "
            f"{listed(np.flatnonzero(legal[row]))}; no move may be legal then."
        ),
        moves_of,
    )
    examples.add(
        "many moves",
        count > game.most_moves,
        lambda row: f"There are {count[row]} legal moves, but GAME says max_moves={game.max_moves}; raise it.",
        moves_of,
    )
    if subject.has("moves"):
        look_at_list(subject, states, legal, examples, moves_of)
    flags = states[:, FLAGS : FLAGS + game.flag_words]
    examples.add(
        "flags",
        (flags > 255).any(axis=1),
        lambda row: (
            f"A flag word is {flags[row].max()}; flags are stored as one byte each, so they must stay below 256. "
            "Larger numbers belong to raw_words."
        ),
        moves_of,
    )
    look_at_cells(subject, states, examples, moves_of)
    if subject.has("features"):
        look_at_features(subject, states, examples, moves_of)
    if subject.has("wins_next"):
        going = kept[:, WINNER] == OPEN  # search asks it of no finished position
        asked = states[going]
        subject.kernels.probes.wins_next(asked, legal[going], np.zeros(len(asked), np.bool_))
        states[going] = asked
    examples.add(
        "changed",
        (states != kept).any(axis=1),
        lambda row: (
            f"Reading this position changes word {np.flatnonzero(states[row] != kept[row])[0]} of its state; only play and "
            "start may write to the state (legal, moves, cells, features and wins_next must not)."
        ),
        moves_of,
    )
    states[:] = kept


def look_at_list(subject: Subject, states: State, legal: Mask, examples: Examples, moves_of: MovesOf) -> None:
    """What `moves` must write."""
    found = np.full((len(states), subject.game.num_actions), 12345678, np.int32)
    counts = np.zeros(len(states), np.int64)
    subject.kernels.probes.listed(states, found, counts)
    rising = [bool((np.diff(found[row, : counts[row]]) > 0).all()) for row in range(len(states))]
    examples.add(
        "order",
        ~np.array(rising, np.bool_),
        lambda row: (
            f"moves lists {found[row, : counts[row]].tolist()}; the actions must be ascending, each of them once."
        ),
        moves_of,
    )


def look_at_cells(subject: Subject, states: State, examples: Examples, moves_of: MovesOf) -> None:
    """What `cells` must write."""
    board, symbols = subject.cells(states), subject.game.cell_symbols
    examples.add(
        "cells unwritten",
        (board != subject.cells(states, garbage=255)).any(axis=1),
        lambda row: (
            "cells doesn't write every place of the board; it must, because the board holds another position's."
        ),
        moves_of,
    )
    unknown = board >= len(symbols)
    examples.add(
        "codes",
        unknown.any(axis=1),
        lambda row: (
            f"Cell {np.flatnonzero(unknown[row])[0]} has the code {board[row][unknown[row]][0]}, but GAME knows the codes "
            f"0 to {len(symbols) - 1} (`{symbols}`). Give further codes a character each in GAME's symbols. Without "
            "the functions cells and from_cells, each word of the board is a cell's code."
        ),
        moves_of,
    )


def look_at_features(subject: Subject, states: State, examples: Examples, moves_of: MovesOf) -> None:
    """What `features` must write."""
    size = subject.game.legal_mask_offset
    views = np.zeros((len(states), size), np.uint8)
    again = np.full_like(views, 255)
    subject.kernels.probes.features(states, views)
    subject.kernels.probes.features(states, again)
    examples.add(
        "features unwritten",
        (views != again).any(axis=1),
        lambda row: (
            f"features leaves {listed(np.flatnonzero(views[row] != again[row]))} as they were; it must write all "
            f"{size} numbers (planes * cells + features), because they hold another position's."
        ),
        moves_of,
    )
    examples.add(
        "features",
        (views > 1).any(axis=1),
        lambda row: (
            f"features writes {views[row].max()} to place {views[row].argmax()}; all numbers that the network sees must be "
            "0 or 1. Write a count as several of them."
        ),
        moves_of,
    )


def look_at_end(subject: Subject, games: RandomGames, examples: Examples) -> None:
    """The games must be over once `max_plies` moves are played, and none may lack a move before."""
    states = games.positions.states if games.positions is not None else np.zeros((0, 2), np.uint64)
    endless = states[:, WINNER] == OPEN
    examples.add(
        "endless",
        endless,
        lambda row: TOO_LONG.format(plies=subject.game.max_plies),
        lambda row: games.moves(int(games.games[row])),
    )
    examples.add(
        "no move",
        np.array([games.stuck is not None]),
        lambda row: NO_MOVE.format(mover=subject.plain(games.stuck or ()).mover),
        lambda row: games.stuck or (),
    )


def listed(numbers: NDArray[np.int64]) -> str:
    """The first few of some numbers as text."""
    shown = ", ".join(str(int(number)) for number in numbers[:6])
    return f"{shown}, ... ({len(numbers)} in all)" if len(numbers) > 6 else shown
