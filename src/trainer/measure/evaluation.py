"""The work of `python -m trainer.evaluator`: one model in a match against an opponent, or its wrong moves counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from trainer.core.arguments import narrowed
from trainer.core.errors import GameError
from trainer.core.json_values import write_json
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.named_game import chosen_game
from trainer.game_config import load_game_config
from trainer.games import has_part, has_rules, known_games, part_of
from trainer.games.base import opponent_of
from trainer.games.positions import Positions
from trainer.games.solving.scored_positions import scored_positions_of
from trainer.games.solving.solvers import solver_of
from trainer.gpu.choice import loader_for
from trainer.measure.lines import both_seats, has_few_lines
from trainer.measure.match import play_match
from trainer.measure.move_quality import measure_move_quality
from trainer.measure.openings import draw_openings
from trainer.measure.report import error_table, every_move, print_table, report, report_with_intervals
from trainer.players import MinimaxPlayer, PlayerName, model_player, named_player, shown_models
from trainer.run.databases import databases_of
from trainer.search import SearchConfig
from trainer.settings.evaluator import SEARCH_SETTINGS, EvaluatorConfig
from trainer.settings.validation import require, require_at_least

Show = Callable[[], None]
"""Prints what was measured."""


def evaluate(config: EvaluatorConfig) -> int:
    """Measure, write the JSON, then print, so that nothing is lost if nobody can read it. Returns the exit status."""
    config.check()
    opponent, given = PlayerName.read(config.opponent), config.opponent_simulations
    require(
        given is None or opponent.searches,
        f"--opponent-simulations is {given}, but the opponent {opponent.kind} makes no simulations of ours; leave out "
        f"--opponent-simulations, or choose another --opponent, such as rollouts",
    )
    require_at_least(config, 0 if opponent.model else 1, "opponent_simulations")
    require(
        opponent.is_engine or config.engine_seconds == EvaluatorConfig.engine_seconds,
        f"--engine-seconds is {config.engine_seconds:g}, but the opponent {config.opponent} isn't another program; leave "
        f"out --engine-seconds",
    )
    env_id = chosen_game(config.env_id, [config.model, *([opponent.model] if opponent.model else [])])
    databases = databases_of(config.db)
    load_game_config(env_id, *databases)  # what a database says of the game must fit its rules
    if not has_rules(env_id):
        raise GameError(
            f"{env_id} can't be played, because only its dimensions are known, from {databases[0]}; "
            f"the games whose rules are known are {', '.join(known_games())}"
        )
    loader = loader_for(env_id, config)
    model = loader.load(config.model)
    if config.solve:
        found, show = count_wrong_moves(env_id, config, model)
    else:
        found, show = compete(loader, config, model, opponent)
    if config.json:
        origin = {"model": str(config.model), "step": model.step, "timestamp": int(time.time())}
        write_json(config.json, origin | found)
    show()
    return 0


def compete(
    loader: ModelLoader, config: EvaluatorConfig, model: Evaluator, name: PlayerName
) -> tuple[dict[str, Any], Show]:
    """Play the match against the player `name`. Returns the content of the JSON file, and what prints the report.

    `loader` makes the evaluator of an opponent that is a model.
    """
    env_id, rival = loader.env_id, name.model
    own, *others = shown_models([config.model] if rival is None else [config.model, rival])
    search = narrowed(config, SearchConfig)
    player = model_player(own, env_id, model, config.simulations, config.games, config.temperature, search)
    simulations = name.simulations(config.opponent_simulations, config.simulations)
    shown = others[0] if others else None
    opponent = named_player(name, loader, simulations, config.games, shown, config.engine_seconds)
    openings = None
    games_differ = name.is_random or config.temperature > 0
    if config.opening_plies or (config.opening_plies is None and not games_differ):
        openings = draw_openings(env_id, config.games, config.seed, config.opening_plies)
    match = play_match(env_id, player, opponent, config.games, config.seed, openings)
    if not name.is_random:  # that report has a fixed form, and its players can't be mistaken for each other
        match = replace(match, player=match.player + unusual_settings(config))

    def show() -> None:
        if config.verbose:
            print(every_move(match))
        print(report(match) if name.is_random else report_with_intervals(match))

    settings = {
        "opponent_model": str(rival) if rival else None,
        "simulations": config.simulations,
        "opponent_simulations": simulations if name.searches else None,
        "temperature": config.temperature,
        "search": constants_of(config),
    }
    return match.as_json() | settings, show


def count_wrong_moves(env_id: str, config: EvaluatorConfig, model: Evaluator) -> tuple[dict[str, Any], Show]:
    """Count the model's wrong moves, and minimax's as a baseline.

    Returns the content of the JSON file, and what prints the table.
    """
    scored = scored_positions_of(env_id, config.positions)
    (name,) = shown_models([config.model])
    results, lines = [], []
    for simulations in config.solve_simulations:
        player = model_player(name, env_id, model, simulations, len(scored), config=narrowed(config, SearchConfig))
        shown = f"{simulations} simulations" if simulations else "raw policy"
        results.append(replace(measure_move_quality(scored, player), player=shown))
        if has_few_lines(env_id):
            lines.append(both_seats(env_id, shown, player))
    if has_part(env_id, "heuristic"):
        results.append(measure_move_quality(scored, MinimaxPlayer(env_id)))

    def show() -> None:
        print_table(error_table(f"Wrong moves of {name}{unusual_settings(config)} in {env_id}", results))
        for each in lines:
            print(each)
        if part_of(env_id, "scored_positions") is None:
            print(result_with_best_play(env_id))

    found = {
        "env_id": env_id,
        "simulations": list(config.solve_simulations),
        "positions": str(config.positions) if config.positions else None,
        "results": [quality.as_json() for quality in results],
        "every_line": [asdict(each) for each in lines],
        "search": constants_of(config),
    }
    return found, show


def constants_of(config: EvaluatorConfig) -> dict[str, float]:
    """The constants of the model's search."""
    return {name: getattr(config, name) for name in SEARCH_SETTINGS}


def unusual_settings(config: EvaluatorConfig) -> str:
    """What isn't default about how the model searches and picks its moves, as in ", c_puct 2.5"; empty if all is."""
    settings = constants_of(config) | {"temperature": config.temperature}
    return "".join(f", {name} {value:g}" for name, value in settings.items() if value != getattr(EvaluatorConfig, name))


def result_with_best_play(env_id: str) -> str:
    """Who wins a game that is solved, in a sentence."""
    positions = Positions(env_id, 1)
    best = int(solver_of(env_id).scores(positions).max())
    mover = int(positions.mover[0])
    winner = mover if best > 0 else opponent_of(mover)
    outcome = "it is a draw" if best == 0 else f"{positions.game.name_of(winner)} wins"
    return f"With best play from the first position {outcome}."
