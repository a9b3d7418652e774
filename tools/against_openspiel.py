"""Plays a model, or our player `rollouts`, against OpenSpiel's Monte Carlo tree search with random rollouts.

    python tools/against_openspiel.py --env-id othello --model data/othello/models/latest.onnx --games 200
    python tools/against_openspiel.py --env-id othello --games 200       ours and theirs with 1,000 rollouts each

Needs open_spiel (`pip install open_spiel`). Each opening is played twice, once from each seat. OpenSpiel can't set up a
state from a board, so this program keeps OpenSpiel's state of each game itself, instead of adding a player to the evaluator.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pyspiel  # type: ignore[import-not-found]

from trainer.core.errors import TrainerError
from trainer.core.json_values import write_json
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.loader import ModelLoader
from trainer.games import game_of
from trainer.games.base import FIRST, OPEN, SECOND
from trainer.games.positions import Positions
from trainer.measure.match import Match
from trainer.measure.openings import draw_openings
from trainer.measure.report import report_with_intervals
from trainer.players import Player, RolloutPlayer, model_player
from trainer.settings.validation import require_output

NAMES = {"tictactoe": "tic_tac_toe", "connect4": "connect_four", "othello": "othello"}
UCT_C = 2.0
MEMORY_MB = 200


def bot(game: pyspiel.Game, rollouts: int, seed: int) -> pyspiel.MCTSBot:
    """OpenSpiel's search with `rollouts` simulations per move, each of which plays one random game."""
    return pyspiel.MCTSBot(game, pyspiel.RandomRolloutEvaluator(1, seed), UCT_C, rollouts, MEMORY_MB, True, seed, False)


def our_player(env_id: str, model: Evaluator | None, simulations: int, games: int) -> Player:
    """The model with a search; without a model, the player `rollouts`."""
    if model is None:
        return RolloutPlayer(env_id, simulations)
    return model_player(f"ONNX({Path(model.source).name})", env_id, model, simulations, games, 0.0)


def play(env_id: str, player: Player, rollouts: int, games: int, seed: int) -> Match:
    """Play the match. Game n starts with opening n // 2, and our player plays first in every second game."""
    rules = game_of(env_id)
    openings = draw_openings(env_id, games, seed, None)
    theirs = pyspiel.load_game(NAMES[env_id])
    states = [theirs.new_initial_state() for _ in range(games)]
    bots = [bot(theirs, rollouts, seed + number) for number in range(games)]
    generators = [np.random.default_rng([seed, number]) for number in range(games)]
    positions = Positions(env_id, games)
    moves = [list(openings[number // 2 % len(openings)]) for number in range(games)]
    for number, opening in enumerate(moves):
        positions.replay(number, opening)
        for action in opening:
            states[number].apply_action(action)
    seats = np.where(np.arange(games) % 2 == 0, FIRST, SECOND)
    began = last = time.monotonic()
    while (unfinished := positions.winner == OPEN).any():
        actions = np.zeros(games, np.int64)
        ours = np.flatnonzero(unfinished & (positions.mover == seats))
        if len(ours):
            actions[ours] = player.choose(positions.of(positions.states[ours]), [generators[row] for row in ours])
        for row in np.flatnonzero(unfinished & (positions.mover != seats)):
            actions[row] = bots[row].step(states[row])
        rows = np.flatnonzero(unfinished)
        positions.play(rows, actions[rows])
        for row in rows:
            states[row].apply_action(int(actions[row]))
            moves[row].append(int(actions[row]))
        if time.monotonic() > last + 30:
            last = time.monotonic()
            done = f"{last - began:.0f} s: {len(rows)} games are open after {max(map(len, moves))} moves"
            print(done, file=sys.stderr, flush=True)
    name = f"OpenSpiel MCTS ({rollouts} rollouts)"
    return Match(rules, player.name, name, seats, positions.winner, moves, seed, openings)


def main() -> None:
    """Play the match; `--json` writes it with all games to a file. Then print the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--env-id", choices=NAMES, default="othello")
    parser.add_argument("--model", type=Path, help="without it, our player `rollouts` plays")
    parser.add_argument("--simulations", type=int, help="of our player; 100 for a model, as many as --rollouts without")
    parser.add_argument("--rollouts", type=int, default=1000, help="rollouts of OpenSpiel's search before each move")
    parser.add_argument("--games", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    simulations = chosen.simulations
    if simulations is None:
        simulations = 100 if chosen.model else chosen.rollouts
    try:
        require_output(chosen.json, "--json")
        model = ModelLoader(chosen.env_id).load(chosen.model) if chosen.model else None
        player = our_player(chosen.env_id, model, simulations, chosen.games)
    except TrainerError as error:
        raise SystemExit(f"error: {error}") from None
    match = play(chosen.env_id, player, chosen.rollouts, chosen.games, chosen.seed)
    if chosen.json:  # before anything is printed, so that no game is lost if nobody can read it
        origin = {"model": str(chosen.model) if model else None, "step": model.step if model else None}
        settings = {"simulations": simulations, "opponent_simulations": chosen.rollouts}
        write_json(chosen.json, origin | match.as_json() | settings, indent=2)
    print(report_with_intervals(match))


if __name__ == "__main__":
    main()
