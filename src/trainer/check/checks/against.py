"""Whether OpenSpiel's version of a game agrees, move by move."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.check.findings import Finding, Level
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.core.errors import GameError
from trainer.core.packages import import_package
from trainer.games.library.parts import global_of

GAMES = 200
ACTIONS = "OPENSPIEL_ACTIONS"
"""The tuple in the game's file, or in `openspiel_actions.py` of its folder: our action a is their ACTIONS[a], or
ACTIONS[0][a] for the first player and ACTIONS[1][a] for the second one."""


def check_against(subject: Subject, name: str) -> list[Finding]:
    """Play random games in both. Raises ConfigError without OpenSpiel, GameError if it has no such game."""
    theirs = openspiel_game(name)
    table = actions_of(subject)
    if table is None and theirs.num_distinct_actions() < subject.game.num_actions:
        return [Finding(Level.FAILURE, other_numbers(subject, theirs))]
    games = RandomGames(subject, min(GAMES, subject.games))
    states = [theirs.new_initial_state() for _ in range(min(GAMES, subject.games))]
    numbers = np.array([np.arange(subject.game.num_actions)] * 2) if table is None else table
    first = theirs.new_initial_state().current_player()
    for ply in games:
        for row, game in enumerate(ply.games):
            state, mover = states[game], int(ply.before.mover[row])
            number = numbers[mover - 1]
            ours = sorted(int(each) for each in number[np.flatnonzero(ply.legal[row])])
            text = before_move(ours, mover, state, first)
            if text and not ply.number and table is None:
                text += f" {mapping_advice(state)}"
            if not text:
                state.apply_action(int(number[ply.actions[row]]))
                text = after_move(int(ply.after.winner[row]), state, first)
                moves = games.moves(int(game), ply.number + 1)
            else:
                moves = games.moves(int(game), ply.number)
            if text:
                return [Finding(Level.FAILURE, f"{text} OpenSpiel's position:\n{state}", moves)]
    return []


def openspiel_game(name: str) -> Any:
    """OpenSpiel's game of that string."""
    pyspiel = import_package("pyspiel", "open_spiel", "--against needs OpenSpiel")
    try:
        game = pyspiel.load_game(name)
    except pyspiel.SpielError as error:
        reason = str(error).strip().splitlines()[-1]
        raise GameError(f"OpenSpiel can't load the game {name} ({reason}); see pyspiel.registered_names()") from error
    if game.num_players() != 2:
        raise GameError(f"OpenSpiel's {name} has {game.num_players()} players; games here have two")
    found, kind = game.get_type(), pyspiel.GameType
    if (found.chance_mode, found.dynamics) != (kind.ChanceMode.DETERMINISTIC, kind.Dynamics.SEQUENTIAL):
        raise GameError(f"OpenSpiel's {name} has chance, or players who move at the same time; games here have neither")
    return game


def actions_of(subject: Subject) -> NDArray[np.int64] | None:
    """[2, A] OpenSpiel's numbers of our actions, for each player, as the game's author says; None if there is no table."""
    part = subject.found.part(ACTIONS.lower())
    if part is None:
        return None
    advice = "set it to a tuple with a number for each action, or to two such tuples, one for each player"
    table = np.asarray(global_of(part, ACTIONS, is_table, advice), np.int64)
    if table.shape[-1] != subject.game.num_actions:
        raise GameError(
            f"{ACTIONS} has {table.shape[-1]} entries; {subject.env_id} has {subject.game.num_actions} actions"
        )
    return np.array(np.broadcast_to(table, (2, subject.game.num_actions)))


def is_table(value: object) -> bool:
    """Whether this is a sequence of integers, or two of the same length."""
    try:
        table = np.asarray(value)
    except ValueError:  # their lengths differ
        return False
    return table.dtype.kind in "iu" and (table.ndim == 1 or (table.ndim == 2 and len(table) == 2))


def before_move(ours: list[int], mover: int, state: Any, first: int) -> str:
    """What differs before a move; empty if nothing does. `first`: OpenSpiel's number of the player who begins."""
    if state.is_terminal():
        return "OpenSpiel says that the game is over; here it goes on."
    if (state.current_player() != first) + 1 != mover:
        return (
            f"Player {mover} is to move here, player {3 - mover} in OpenSpiel. A pass must be an action in both games, or "
            "in neither."
        )
    theirs = sorted(state.legal_actions())
    if ours != theirs:
        only_ours, only_theirs = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
        return (
            f"The legal moves differ (by OpenSpiel's numbers). Only here: {only_ours[:10]}; only in OpenSpiel: "
            f"{only_theirs[:10]}."
        )
    return ""


def after_move(winner: int, state: Any, first: int) -> str:
    """What differs about the end of the game; empty if nothing does. `first`: as for `before_move`."""
    if bool(winner) != state.is_terminal():
        return (
            f"The game is over here only (state[WINNER] is {winner}). If the two differ in what makes a draw, make that a "
            f"parameter of the game, and compare it with OpenSpiel's value."
            if winner
            else "The game is over in OpenSpiel only."
        )
    gets = state.returns()[first]
    result = 0 if not winner else 1 if gets > 0 else 2 if gets < 0 else 3
    if result != winner:
        return f"state[WINNER] is {winner}; in OpenSpiel the first player gets {gets:g}, which makes it {result}."
    return ""


def other_numbers(subject: Subject, theirs: Any) -> str:
    """What to say if OpenSpiel has too few actions."""
    return (
        f"{subject.env_id} has {subject.game.num_actions} actions, OpenSpiel's game has {theirs.num_distinct_actions()}. "
        f"{mapping_advice(theirs.new_initial_state())}"
    )


def mapping_advice(state: Any) -> str:
    """How to match actions by a table."""
    examples = ", ".join(f"{action} is {state.action_to_string(action)}" for action in state.legal_actions()[:4])
    return (
        f"If only the numbers of the actions differ, add a tuple {ACTIONS} to the game's file, whose entry a is OpenSpiel's "
        f"number of action a (there, {examples}). If the numbers depend on the mover, make it two tuples, one per player."
    )
