"""The self-play process: threads that play, one writer, the newest model.

Each thread plays its own games in lockstep (compiled code, ONNX Runtime and SQLite release the GIL). The main thread takes
finished games from a queue, stores them, reloads `latest.onnx` when it is replaced, and keeps the statistics.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from trainer.actor.episodes import episodes_of
from trainer.actor.selfplay import Played, SelfPlay, SelfPlayConfig
from trainer.actor.threads import Crew, Numbers
from trainer.core.errors import ReplayUnavailableError
from trainer.core.files import remove_leftovers
from trainer.evaluators.acceleration import Twins
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.sparse import SparseTwin
from trainer.game_config import load_game_config
from trainer.games import game_of
from trainer.games.base import DRAW, FIRST, SECOND
from trainer.games.positions import Positions
from trainer.replay import Episode, ReplayWriter
from trainer.run.actor_statistics import ACTOR_STATS_FILE, ActorStats
from trainer.run.model_files import LATEST
from trainer.search import SearchConfig
from trainer.settings.validation import LogLevel, require, require_seed, require_writable

log = logging.getLogger(__name__)

WRITE_EVERY = 0.2
"""Seconds between transactions: long enough to share their cost, short enough that a trainer sees new rows at once."""
REPORT_EVERY = 5.0
RETRY_EVERY = 1.0
"""Seconds between two attempts to store games in a database that can't be written."""
MOST_CACHED = 2**24
"""Entries of a cache: 5 GiB a thread for Othello."""
RATE_REPORTS = 50
"""Rates are taken over so many transactions, ten seconds or so."""


@dataclass(frozen=True)
class ActorConfig:
    """Play games against oneself with the newest model and write them to the replay database, until stopped."""

    env_id: str = "tictactoe"
    """The game to play."""
    replay_db_path: Path = Path("../data/replay.db")
    """Replay database to write to; made if it isn't there."""
    data_dir: Path = Path("../data")
    """Folder of the run: models are read from its `models`, and `actor_stats.json` is written into it."""
    actor_id: str = "actor-1"
    """Name of this actor; the ids of its games start with it."""
    max_episodes: int = -1
    """Stop after so many games; -1 = never."""
    simulations: int = SelfPlayConfig.simulations
    """Simulations of the search before each move."""
    first_simulations: int | None = SelfPlayConfig.first_simulations
    """Simulations at the beginning of the run, from where they rise to `simulations`, as the model says how far it is."""
    full_share: float = SelfPlayConfig.full_share
    """Share of the moves that are searched fully; the others are made with fewer simulations and give no policy target."""
    fast_simulations: int = SelfPlayConfig.fast_simulations
    """Simulations of the moves that are not searched fully."""
    gumbel: bool = SelfPlayConfig.gumbel
    """Full searches are Gumbel searches: sequential halving at the root, the improved policy as target."""
    random_openings: float = SelfPlayConfig.random_openings
    """Share of the games that begin with random moves, so that the network sees positions good play doesn't lead to."""
    episode_timeout_secs: float = 0.0
    """Give up a game that takes longer than this; 0 = never."""
    threads: int = 1
    """Threads that play, each with its own games; one a core is best."""
    games: int = 128
    """Games that each thread plays side by side."""
    cache: int = 2**18
    """Evaluations that each thread keeps until the next model, in case a position turns up again: 14 MiB for Connect 4,
    74 MiB for Othello; 0 = none. Changes no game."""
    int8: bool = False
    """Evaluate with wide matrix products in 8-bit integers, with nearly the same answers: to try on a processor with 8-bit
    dot products (VNNI); on others it is slower."""
    seed: int | None = None
    """Fixes the games for a given model; None: other games at each start."""
    replay_window: int | None = None
    """Keep about the newest so many positions in the database, by whole games; None: all."""
    wait_for_model: bool = False
    """Begin when there is a model, instead of playing at random until then."""
    log_level: LogLevel = "INFO"
    """What to report on standard error."""

    @property
    def play(self) -> SelfPlayConfig:
        """How moves are made."""
        return SelfPlayConfig(
            simulations=self.simulations,
            first_simulations=self.first_simulations,
            full_share=self.full_share,
            fast_simulations=self.fast_simulations,
            gumbel=self.gumbel,
            random_openings=self.random_openings,
        )

    @property
    def search(self) -> SearchConfig:
        """How each move is searched."""
        return SearchConfig(cache=self.cache)

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require(
            self.max_episodes >= -1, f"--max-episodes is {self.max_episodes}; give -1 (no end) or a number of games"
        )
        require(self.simulations >= 1, f"--simulations is {self.simulations}; at least 1 is needed")
        first = self.first_simulations
        require(
            first is None or 1 <= first <= self.simulations,
            f"--first-simulations is {first}; give a number from 1 to --simulations ({self.simulations})",
        )
        require(0 < self.full_share <= 1, f"--full-share is {self.full_share}; give a share above 0, 1 at most")
        require(self.fast_simulations >= 1, f"--fast-simulations is {self.fast_simulations}; at least 1 is needed")
        share = self.random_openings
        require(0 <= share <= 1, f"--random-openings is {share}; give a share from 0 to 1")
        require(self.threads >= 1, f"--threads is {self.threads}; at least 1 is needed")
        require(self.games >= 1, f"--games is {self.games}; at least 1 is needed")
        require(
            0 <= self.cache <= MOST_CACHED, f"--cache is {self.cache}; give a number of entries from 0 to {MOST_CACHED}"
        )
        require(
            self.episode_timeout_secs >= 0, f"--episode-timeout-secs is {self.episode_timeout_secs}; give 0 or seconds"
        )
        window = self.replay_window
        require(window is None or window >= 1, f"--replay-window is {window}; at least 1 is needed")
        require_seed(self.seed or 0)
        require(bool(self.actor_id), "--actor-id is empty; give the actor a name")
        require(self.actor_id.isprintable(), f"--actor-id is {self.actor_id!r}; give a name of printable characters")


def act(config: ActorConfig, stop: Event) -> ActorStats:
    """Play until `stop` is set or `max_episodes` games are played. Every finished game is stored before it returns."""
    config.check()
    game_of(config.env_id)  # raises where the rules are not known
    require_writable(config.data_dir, "--data-dir")
    require_writable(config.replay_db_path.parent, "--replay-db-path")
    remove_leftovers(config.data_dir)
    metadata = load_game_config(config.env_id, config.replay_db_path).metadata
    writer = ReplayWriter(config.replay_db_path, metadata, config.replay_window)
    try:
        return _play_and_store(config, stop, writer)
    finally:
        writer.close()


def _play_and_store(config: ActorConfig, stop: Event, writer: ReplayWriter) -> ActorStats:
    """The loop of the main thread: collect games for a moment, store them, look for a new model."""
    game = game_of(config.env_id)
    path = config.data_dir / "models" / LATEST
    model = ModelFile(path, config.env_id, game.obs_size, game.num_actions, prepare=twins(config))
    first = first_free_number(writer, config.actor_id)
    last = None if config.max_episodes < 0 else first + config.max_episodes
    archive = Archive(config, writer, stop)
    seed = secrets.randbits(63) if config.seed is None else config.seed
    numbers = Numbers(first, last)
    players = [
        SelfPlay(config.env_id, config.games, numbers, seed, config.actor_id, config.play, config.search)
        for _ in range(config.threads)
    ]
    crew = Crew(players, model, config.episode_timeout_secs)
    while config.wait_for_model and not model.current and not stop.wait(0.1):
        model.poll()
    if model.current is None:
        log.info("no model at %s yet: playing at random", model.path)
    else:
        log.info("playing with model step %s", model.current.step)
    next_report = time.monotonic() + REPORT_EVERY
    with crew:
        while crew.at_work and not stop.is_set():
            archive.store(crew.collect(WRITE_EVERY), crew)
            if model.poll() and model.current:
                log.info("playing with model step %s", model.current.step)
            if time.monotonic() >= next_report:
                archive.report()
                next_report = time.monotonic() + REPORT_EVERY
    archive.store(crew.collect(0), crew)
    archive.report()
    crew.raise_failure()
    return archive.stats


def twins(config: ActorConfig) -> Twins:
    """What makes models faster."""
    exact = SparseTwin(config.env_id)
    if not config.int8:
        return Twins(config.env_id, exact)
    from trainer.actor.quantize import Quantizer  # its libraries take a third of a second to import

    return Twins(config.env_id, Quantizer(config.env_id), exact)


def first_free_number(writer: ReplayWriter, actor_id: str) -> int:
    """The number after the largest of the games that this actor has stored in the database."""
    last = writer.last_episode(f"{actor_id}-game-")
    number = re.match("[0-9]+", last.removeprefix(f"{actor_id}-game-")) if last else None
    return int(number[0]) + 1 if number else 0


class Archive:
    """Stores finished games and counts what was stored."""

    def __init__(self, config: ActorConfig, writer: ReplayWriter, stop: Event) -> None:
        self.stats = ActorStats(config.env_id)
        self._config = config
        self._writer = writer
        self._stop = stop
        self._stats_trouble = False
        self._run = secrets.token_hex(4)  # so that ids never repeat, also where two actors have one name
        self._positions = Positions(config.env_id, 0)
        self._started = time.monotonic()
        self._recent = deque([(self._started, 0, 0, 0)], maxlen=RATE_REPORTS)

    def store(self, played: list[Played], crew: Crew) -> None:
        """Write the games, then count them; what was counted is on disk."""
        if played:
            self._write(episodes_of(self._positions, played, self._episode_id))
        stats = self.stats
        for game in played:
            stats.episodes_completed += 1
            stats.total_steps += len(game.plies) - 1
            stats.opening_plies += game.first_ply
            winner = game.winner
            stats.player1_wins += winner == FIRST
            stats.player2_wins += winner == SECOND
            stats.draws += winner == DRAW
        now = time.monotonic()
        stats.runtime_seconds = now - self._started
        stats.simulations = crew.simulations
        stats.mcts_avg_inference_us = crew.inference_us
        stats.model_step = crew.model_step
        self._recent.append((now, stats.episodes_completed, stats.total_steps, stats.simulations))
        seconds = max(now - self._recent[0][0], 1e-9)
        newest, oldest = self._recent[-1][1:], self._recent[0][1:]
        rates = [(new - old) / seconds for new, old in zip(newest, oldest, strict=True)]
        stats.episodes_per_second, stats.positions_per_second, stats.simulations_per_second = rates
        self._write_stats()

    def _write(self, episodes: list[Episode]) -> None:
        """Store the games; while the database can't be written they wait, and so do the players when many wait.

        Raises ReplayUnavailableError when `stop` is set before that is over.
        """
        waiting = False
        while True:
            try:
                self._writer.write(episodes)
                break
            except ReplayUnavailableError as error:
                if self._stop.is_set():
                    raise ReplayUnavailableError(
                        f"{error}; {len(episodes)} finished games could not be stored"
                    ) from error
                if not waiting:
                    log.warning("%s; finished games wait until it can", error)
                waiting = True
                self._stop.wait(RETRY_EVERY)
        if waiting:
            log.info("the replay database %s can be written again", self._writer.path)

    def _write_stats(self) -> None:
        """Write actor_stats.json; where that can't be done the next call does it."""
        try:
            self.stats.write(self._config.data_dir / ACTOR_STATS_FILE, self._config.actor_id)
        except OSError as error:
            if not self._stats_trouble:
                log.warning("can't write %s (%s); playing on", ACTOR_STATS_FILE, error.strerror)
            self._stats_trouble = True
        else:
            self._stats_trouble = False

    def report(self) -> None:
        """Say how it goes, in one line."""
        stats = self.stats
        model = "random play" if stats.model_step is None else f"model step {stats.model_step}"
        log.info(
            "%s: %d games (%.1f/s), %d positions (%.0f/s), %.0f simulations/s, %s",
            self._config.actor_id,
            *(stats.episodes_completed, stats.episodes_per_second),
            *(stats.total_steps, stats.positions_per_second),
            stats.simulations_per_second,
            model,
        )

    def _episode_id(self, number: int) -> str:
        """The id of a game of this run."""
        return f"{self._config.actor_id}-game-{number:09d}-{self._run}"
