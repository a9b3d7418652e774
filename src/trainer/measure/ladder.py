"""The ladder: Elo ratings of the models of runs, and of further players, from matches of pairs. N players."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainer.core.errors import ModelError
from trainer.core.json_values import write_json
from trainer.core.packages import require_matplotlib
from trainer.core.signals import before_leaving, show_cursor, suspendable
from trainer.evaluators.named_game import chosen_game
from trainer.gpu.choice import loader_for
from trainer.measure.elo import fit_elo
from trainer.measure.intervals import design_effect
from trainer.measure.match import Match, play_match
from trainer.measure.openings import draw_openings, in_words, seats_in_words
from trainer.measure.plot import Curve, save_plot
from trainer.measure.report import print_table
from trainer.players import Player, PlayerName, model_player, named_player, shown_models, told_apart
from trainer.run.folder import MODELS
from trainer.run.model_files import read_model, step_of, stored_models
from trainer.settings.ladder import LadderConfig


@dataclass(frozen=True)
class Rung:
    """The rating of one player."""

    name: str
    run: str | None
    """The folder of a run's models; None for other players."""
    step: int | None
    """Training step of a run's model; None for other players."""
    model: str | None
    """The path of a model; None for players that are not models."""
    games: int
    score: float
    """Points per game; a draw is half a point."""
    elo: float
    """Relative to the average of the ladder, or to the player `--zero`, which is 0."""
    elo_margin: float
    """Half the width of the 95% interval."""


def rate_models(config: LadderConfig) -> int:
    """Play all matches, rate the players, write the files, then print the table; returns the exit status."""
    config.check()
    env_id = ladder_game(config)
    if config.plot:
        require_matplotlib()
    entrants = ladder_players(env_id, config)
    players = [entrant.player for entrant in entrants]
    openings = draw_openings(env_id, config.games, config.seed, config.opening_plies)
    matches: dict[tuple[int, int], Match] = {}
    terminal = Console(stderr=True)
    with before_leaving(show_cursor), suspendable(show_cursor, lambda: None), terminal.status("playing") as status:
        for pair in pairs_of(entrants, config):
            # Of an odd number of games, neither older nor newer models begin more often.
            first, second = reversed(pair) if sum(pair) % 2 and config.games % 2 else pair
            status.update(Text(f"{players[first].name} against {players[second].name}"))
            matches[first, second] = play_match(
                env_id, players[first], players[second], config.games, config.seed, openings
            )
    zero = None if config.zero is None else len(entrants) - len(config.against) + config.against.index(config.zero)
    rungs = rate(entrants, matches, zero)
    level = "the average" if zero is None else entrants[zero].player.name
    title = f"Elo in {env_id}"
    if config.json:
        write_json(config.json, as_json(env_id, config, openings, rungs, list(matches.values())))
    if config.plot:
        save_plot(config.plot, title, "training step", f"Elo (0 = {level})", curves(rungs))
    print_table(ladder_table(title, rungs))
    different = sum(match.different_games for match in matches.values())
    print(
        f"0 = {level}. {config.games} game{'' if config.games == 1 else 's'} between each pair{who_meets(config)}, from "
        f"{in_words(openings)} (seed {config.seed}){seats_in_words(config.games)}; {different} of the "
        f"{config.games * len(matches)} games are different."
    )
    return 0


def ladder_game(config: LadderConfig) -> str:
    """The env_id of the game that is played. Raises ModelError if nothing names it."""
    models = [model for folder in config.model_dirs for model in stored_models(folder)[-1:]] + models_of(config.against)
    if config.env_id is None and not models and len(config.against) > 1:
        raise ModelError(
            f"{in_words_of(config.model_dirs)} holds no model_step_*.onnx, so the game of the ladder isn't known; name the "
            f"folder of a run with --model-dir, or the game with --env-id"
        )
    return chosen_game(config.env_id, models)


@dataclass(frozen=True)
class Entrant:
    """Who plays in a ladder."""

    player: Player
    run: Path | None = None
    """The folder of a run's models; None for other players."""
    step: int | None = None
    """Training step of a run's model; None for other players."""
    model: Path | None = None
    """The file of a model; None for players that are not models."""


def ladder_players(env_id: str, config: LadderConfig) -> list[Entrant]:
    """The players of a ladder. Raises ModelError if there are fewer than two."""
    loader = loader_for(env_id, config)
    entrants: list[Entrant] = []
    for folder in config.model_dirs:
        if len(config.model_dirs) > 1 and not stored_models(folder):
            raise ModelError(f"{folder} holds no model_step_*.onnx; name folders of models with --model-dir")
    runs = dict(zip(config.model_dirs, shown_runs(config.model_dirs), strict=True))
    for path, content in [found for folder in runs for found in models_to_rate(folder, config.rungs)]:
        model = loader.made_of(content, str(path))
        step = step_of(path)
        title = f"{runs[path.parent]} step {step:,}".lstrip()
        player = model_player(title, env_id, model, config.simulations, config.games)
        entrants.append(Entrant(player, path.parent, step, path))
    models = models_of(config.against)
    shown = dict(zip(models, shown_models(models), strict=True))
    for name in map(PlayerName.read, config.against):
        simulations = name.simulations(None, config.simulations)
        known_as = shown[name.model] if name.model else None
        player = named_player(name, loader, simulations, config.games, known_as, config.engine_seconds)
        entrants.append(Entrant(player, model=name.model))
    if len(entrants) < 2:
        stored = sum(len(stored_models(folder)) for folder in config.model_dirs)
        more = config.rungs == 1 and stored > 1
        advice = "allow more --rungs than 1" if more else "name the folder of a run's models with --model-dir"
        raise ModelError(
            f"a ladder needs two players and there are {len(entrants)}: {in_words_of(config.model_dirs)} holds "
            f"{stored} model_step_*.onnx; {advice}, or add a player with --against"
        )
    return entrants


def models_of(names: Sequence[str]) -> list[Path]:
    """The paths of those of the players that are models."""
    return [name.model for name in map(PlayerName.read, names) if name.model]


def shown_runs(folders: Sequence[Path]) -> list[str]:
    """What a ladder calls runs, by the folders of their models: nothing if there is only one."""
    if len(folders) == 1:
        return [""]
    paths = [Path(os.path.abspath(folder)) for folder in folders]
    return [str(path) for path in told_apart([path.parent if path.name == MODELS else path for path in paths])]


def in_words_of(folders: Sequence[Path]) -> str:
    """Folders as an error names them."""
    return " or ".join(map(str, folders))


def pairs_of(entrants: Sequence[Entrant], config: LadderConfig) -> list[tuple[int, int]]:
    """Who meets, as pairs of indices."""
    return [
        (one, other)
        for one, other in combinations(range(len(entrants)), 2)
        if config.pairs == "all" or entrants[one].run is None or entrants[other].run is None
    ]


def who_meets(config: LadderConfig) -> str:
    """What follows the words "each pair"."""
    return "" if config.pairs == "all" else " with a player of --against"


def models_to_rate(folder: Path, rungs: int) -> list[tuple[Path, bytes]]:
    """The files of at most `rungs` models of a run, and their content.

    A run under way deletes models. So all are read before the first is loaded, and those that are gone are left out. Raises
    ModelError if a file can't be read.
    """
    found = []
    for path in evenly_spaced(stored_models(folder), rungs):
        try:
            found.append((path, read_model(path)))
        except ModelError:
            if path.exists():
                raise
    return found


def evenly_spaced(paths: Sequence[Path], count: int) -> list[Path]:
    """At most `count` of the paths, evenly spaced: always the last, and the first too if `count` is above 1."""
    if len(paths) <= count:
        return list(paths)
    chosen = np.linspace(len(paths) - 1, 0, count).round().astype(int)
    return [paths[number] for number in reversed(chosen)]


def rate(entrants: list[Entrant], matches: dict[tuple[int, int], Match], zero: int | None = None) -> list[Rung]:
    """Rate N players by their matches, whose keys are pairs of indices into `entrants`; so is `zero`, see `fit_elo`."""
    points: NDArray[np.float64] = np.zeros((len(entrants), len(entrants)))
    effects = np.ones_like(points)
    for (first, second), match in matches.items():
        points[first, second] = match.score * match.games
        points[second, first] = match.games - points[first, second]
        effects[first, second] = effects[second, first] = design_effect(match.grouped_points)
    ratings = fit_elo(points, zero=zero, effects=effects)
    games = (points + points.T).sum(axis=1)
    return [
        Rung(
            name=entrant.player.name,
            run=str(entrant.run) if entrant.run else None,
            step=entrant.step,
            model=str(entrant.model) if entrant.model else None,
            games=round(games[number]),
            score=float(points[number].sum() / games[number]),
            elo=float(ratings.elo[number]),
            elo_margin=float(ratings.margin[number]),
        )
        for number, entrant in enumerate(entrants)
    ]


def ladder_table(title: str, rungs: list[Rung]) -> Table:
    """One row per player, the models in the order of their steps."""
    table = Table(title=Text(title), title_justify="left")
    table.add_column("player")
    for name in ("games", "score", "Elo", "95% interval"):
        table.add_column(name, justify="right")
    for rung in rungs:
        low, high = rung.elo - rung.elo_margin, rung.elo + rung.elo_margin
        table.add_row(
            Text(rung.name), f"{rung.games}", f"{rung.score:.1%}", f"{rung.elo:+.0f}", f"{low:+.0f} to {high:+.0f}"
        )
    return table


def curves(rungs: list[Rung]) -> list[Curve]:
    """The ratings of each run's models over their steps, and a level line for every other player."""
    runs = list(dict.fromkeys(Path(rung.run) for rung in rungs if rung.run))
    shown = dict(zip(map(str, runs), shown_runs(runs) if runs else [], strict=True))
    drawn = []
    for run, name in shown.items():
        models = [rung for rung in rungs if rung.run == run]
        drawn.append(curve(name or "models", [float(rung.step or 0) for rung in models], models))
    steps = [step for line in drawn for step in line.x]
    ends = [min(steps), max(steps)] if steps else [0.0, 1.0]
    return drawn + [curve(rung.name, ends, [rung, rung]) for rung in rungs if rung.step is None]


def curve(name: str, x: list[float], points: list[Rung]) -> Curve:
    """Ratings with their 95% intervals as a curve."""
    return Curve(
        name=name,
        x=x,
        y=[rung.elo for rung in points],
        low=[rung.elo - rung.elo_margin for rung in points],
        high=[rung.elo + rung.elo_margin for rung in points],
    )


def as_json(
    env_id: str, config: LadderConfig, openings: list[list[int]], rungs: list[Rung], matches: list[Match]
) -> dict[str, Any]:
    """The content of the JSON file: settings, ratings and all games."""
    return {
        "env_id": env_id,
        "model_dir": str(config.model_dir) if isinstance(config.model_dir, Path) else list(map(str, config.model_dir)),
        "pairs": config.pairs,
        "zero": config.zero,
        "simulations": config.simulations,
        "seed": config.seed,
        "timestamp": int(time.time()),
        "openings": openings,
        "ladder": [asdict(rung) for rung in rungs],
        "matches": [match.as_json() for match in matches],
    }
