"""The Python API: models, positions, matches and runs in a few calls. `import trainer` has these names (docs/api.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from threading import Event, local
from typing import Any

import numpy as np

from trainer.core.errors import ConfigError, GameError, ModelError
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.named_game import game_named_in, require_installed
from trainer.games import game_of, rules_of
from trainer.games.position import Position
from trainer.gpu.choice import loader_for
from trainer.measure.match import Match
from trainer.measure.match import play_match as play_games
from trainer.measure.openings import draw_openings
from trainer.players import (
    Choose,
    FunctionPlayer,
    PlayerName,
    model_player,
    named_player,
    shown_models,
)
from trainer.players.network import PLAYING, side_by_side
from trainer.pretrained import PRETRAINED, model_path, refuse_nameless
from trainer.run.actor_stats import ActorStats
from trainer.run.folder import RunFolder
from trainer.run.model_files import read_model
from trainer.search import Search
from trainer.search.analysis import Analysis, all_analysed
from trainer.search.search import LONGEST_LINE
from trainer.settings.actor import ActorConfig
from trainer.settings.evaluator import EvaluatorConfig
from trainer.settings.groups.device import Device, EvaluationSettings, Precision
from trainer.settings.loop import LoopConfig
from trainer.settings.validation import require, require_seed


@dataclass(frozen=True)
class MoveChoice:
    """What a model thinks of a position, for the player to move."""

    best: int
    """The action to play."""
    policy: dict[int, float]
    """A probability for each legal action: of the network, or the shares of the search's visits."""
    value: float
    """Expected outcome, from -1 (lost) to +1 (won)."""


class Model:
    """A trained model of one game. Several threads may use it at once."""

    def __init__(self, evaluator: Evaluator, loader: ModelLoader) -> None:
        """`loader` made the evaluator, and makes those of opponents."""
        self.evaluator = evaluator
        self.env_id = loader.env_id
        self.loader = loader
        self._own = local()

    def __repr__(self) -> str:
        step = "" if self.step is None else f"step {self.step:,}, "
        return f"Model({self.env_id}, {step}{self.evaluator.source})"

    @property
    def step(self) -> int | None:
        """Training step; None if the file doesn't say."""
        return self.evaluator.step

    def analyse(self, position: Position, simulations: int = 0) -> MoveChoice:
        """Evaluate an unfinished position of the model's game, by its network alone or by a search.

        Raises GameError for a position of another game, a finished one, or simulations below 0.
        """
        self._require([("the position", position)], simulations)
        if simulations:
            search = self._search(simulations)
            shares, values = search.run(position.state[None], simulations, self.evaluator)
        else:
            legal = np.zeros((1, position.rules.GAME.num_actions), np.bool_)
            legal[0, position.legal] = True
            shares, values = self.evaluator(position.observation[None], legal)
        policy = {action: float(shares[0, action]) for action in position.legal}
        return MoveChoice(int(shares[0].argmax()), policy, float(values[0]))

    def best_move(self, position: Position, simulations: int = 0) -> int:
        """The action to play in an unfinished position; 0 simulations: the network's first choice. Raises as `analyse`."""
        return self.analyse(position, simulations).best

    def analyse_all(
        self, positions: Sequence[Position], simulations: int = 0, most: int = LONGEST_LINE
    ) -> list[Analysis]:
        """Evaluate many unfinished positions of the model's game as `analyse` does, up to 256 side by side (fewer if their
        searches would take more than a gibibyte).

        Each analysis also says what is known of every legal move, and how the game would go on: its `line`, of at most
        `most` moves. Raises GameError as `analyse` does.
        """
        self._require([(f"position {number}", position) for number, position in enumerate(positions)], simulations)
        if not positions:
            return []
        search = Search(self.env_id, side_by_side(self.env_id, len(positions), simulations), simulations, PLAYING)
        return all_analysed(search, positions, simulations, self.evaluator, most)

    def _require(self, positions: Iterable[tuple[str, Position]], simulations: int) -> None:
        """Raise GameError for a position of another game, a finished one, or simulations below 0."""
        for named, position in positions:
            env_id = position.rules.GAME.env_id
            if env_id != self.env_id:
                raise GameError(f"{named} is of {env_id}, but the model plays {self.env_id}")
            if not position.legal:
                raise GameError(f"{named} is finished; no move can be made there")
        if simulations < 0:
            raise GameError(f"simulations is {simulations}; 0 or more is needed")

    def _search(self, simulations: int) -> Search:
        """The calling thread's search for at least this many simulations, kept for its next call. A larger one gives the
        same answers."""
        kept: Search | None = getattr(self._own, "search", None)
        if kept is None or kept.most_simulations < simulations:
            kept = self._own.search = Search(self.env_id, 1, simulations, PLAYING)
        return kept


def load_model(
    path: str | Path,
    env_id: str | None = None,
    device: Device = "cpu",
    precision: Precision = EvaluationSettings.precision,
    network_file: str | Path | None = None,
) -> Model:
    """Load a model file, or `pretrained`, the model of the game `env_id` that comes with the package.

    A file's metadata names the game; give `env_id` for a file without metadata, and for a game of your own the file with its
    rules (`env_id="./mygame.py"`), unless this process has named it before.

    `device`, `precision` and `network_file` are those of `EvaluationSettings`.

    Raises ModelError if the file is missing, damaged, for another game than `env_id`, or doesn't name its game. No model
    file can say which code runs: the game that it names must be installed, or known to this process.
    """
    settings = EvaluationSettings(device, Path(network_file) if network_file else None, precision)
    return model_for(Path(path), env_id, settings)


def model_for(path: Path, env_id: str | None, settings: EvaluationSettings) -> Model:
    """`load_model`, with the settings of a command."""
    if str(path) == PRETRAINED:
        if env_id is None:
            refuse_nameless()
        path = model_path(path, game_of(env_id).env_id)
    content = read_model(path)
    if env_id is None:
        env_id = game_named_in(content)
        if env_id is None:
            raise ModelError(
                f"{path} isn't an ONNX model that names its game; give such a file, or the game: load_model(path, "
                f"env_id=...) in Python, --env-id for a command"
            )
        require_installed(env_id, str(path))
    loader = loader_for(game_of(env_id).env_id, settings)
    return Model(loader.made_of(content, str(path)), loader)


def new_position(env_id: str) -> Position:
    """The position that games of `env_id` start from. Raises GameError for an unknown game."""
    return Position.first(rules_of(env_id))


def play_match(
    player: Model,
    opponent: Model | Choose | str | Path = "random",
    games: int = 100,
    simulations: int = 0,
    seed: int = 0,
    engine_seconds: float = EvaluatorConfig.engine_seconds,
) -> Match:
    """Play a model against another one, against a function that gets a Position and returns one of its legal actions, or
    against a named player: random, search, rollouts, perfect, minimax, pretrained, the path of a model, or an engine
    (`gtp: COMMAND` or `uci: COMMAND`), whose answers may take `engine_seconds` each.

    Half of the games are played from each seat. Against random play they start from the first position, otherwise from
    different openings, each played from both seats. `simulations` per move, for both models; 0: raw policies.

    Raises ConfigError for numbers that can't be or an unknown name, GameError if the opponent plays another game or a move
    that isn't legal, ModelError or EngineError if it fails.
    """
    if games < 1 or simulations < 0:
        raise ConfigError(f"games is {games} and simulations {simulations}; give at least 1 game and 0 simulations")
    require_seed(seed)
    env_id = player.env_id
    chosen = PlayerName.read(str(opponent)) if isinstance(opponent, str | Path) else opponent
    paths = [Path(player.evaluator.source)]
    if isinstance(chosen, Model):
        paths.append(Path(chosen.evaluator.source))
    elif isinstance(chosen, PlayerName) and chosen.model:
        paths.append(model_path(chosen.model, env_id))
    names = shown_models(paths)
    ours = model_player(names[0], env_id, player.evaluator, simulations, games)
    if isinstance(chosen, Model):
        if chosen.env_id != env_id:
            raise GameError(f"the opponent plays {chosen.env_id}, the player {env_id}")
        theirs = model_player(names[1], env_id, chosen.evaluator, simulations, games)
    elif isinstance(chosen, PlayerName):
        counted = chosen.simulations(None, simulations)
        theirs = named_player(chosen, player.loader, counted, games, names[-1], engine_seconds)
    else:
        theirs = FunctionPlayer(chosen, env_id, getattr(chosen, "__name__", "the opponent"))
    at_random = isinstance(chosen, PlayerName) and chosen.is_random
    openings = None if at_random else draw_openings(env_id, games, seed)
    return play_games(env_id, ours, theirs, games, seed, openings)


def learn(env_id: str, data_dir: str | Path, stop: Event | None = None, **settings: Any) -> Model:
    """Learn a game as `cartridge loop` does, and return the final model.

    `settings` are fields of LoopConfig that replace those of the game's recipe, such as `minutes=10` or `steps=500`; with
    `resume=True` they replace those of the run in the folder, and one begins if there is none yet. Without it the network
    starts anew, but learns from the games that an earlier run has stored in the folder as well; for a run from nothing
    delete the folder first. Actor and trainer run as
    processes of their own; set `stop` from another thread to end the run early. Raises TrainerError if a setting is
    refused, or a process fails.
    """
    from trainer.launch.defaults import defaults_for
    from trainer.launch.local import run_loop

    require_known(settings)
    run = RunFolder(Path(data_dir))
    resume, device = settings.get("resume", LoopConfig.resume), settings.get("device", LoopConfig.device)
    start = defaults_for(env_id, run.path, resume, device)
    run_loop(start.replaced(**settings | {"env_id": env_id, "data_dir": run.path}), stop or Event())
    return load_model(run.latest_model)


def require_known(settings: Mapping[str, Any]) -> None:
    """Raise ConfigError for a name that isn't a setting of the loop."""
    known = [field.name for field in fields(LoopConfig)]
    for name in settings:
        nearest = get_close_matches(name, known, 1, 0.0)
        require(name in known, f"there is no setting {name}; the most similar one is {nearest[0]}")


def self_play(config: ActorConfig, stop: Event | None = None) -> ActorStats:
    """Play games against itself and store them, as `cartridge actor` does, in this process; returns what was played.

    It plays with `models/latest.onnx` in `config.data_dir`, and looks for a newer one as it goes. While there is none it
    plays at random, or waits if `config.wait_for_model` is set. It ends after `config.max_episodes` games (-1, the default:
    never), or once another thread sets `stop`. Raises TrainerError if a setting is refused, or if the model or the database
    can't be used.
    """
    from trainer.actor.actor import act

    return act(config, stop or Event())
