"""A run's folder before its processes start: an earlier run is set aside, and files that are given are kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from trainer.core.errors import ReplayError
from trainer.core.files import write_bytes
from trainer.core.signals import nothing_to_finish
from trainer.game_config import load_game_config
from trainer.games import game_of
from trainer.games.layout import layout_of
from trainer.pretrained import model_path
from trainer.replay import count_rows, open_for_reading, refuse_other_games, reporting
from trainer.run.folder import RunFolder, set_aside
from trainer.run.kept_network import keep_network, read_network, require_kept
from trainer.run.kept_rules import keep_rules, require_keepable
from trainer.run.model_files import NETWORK, read_model
from trainer.settings.loop import LoopConfig

log = logging.getLogger(__name__)


def prepare_folder(config: LoopConfig, run: RunFolder) -> LoopConfig:
    """Set an earlier run in the folder aside unless it can be resumed, and keep copies of the game's rules, of the model
    that a run starts from and of its network's file. Returns the settings with the copies in place of the originals; the
    env_id stays, and this process plays it by the copy of the rules.

    The originals are read first, because they may belong to the earlier run. Raises TrainerError if they can't be read or
    used, or if the run that is resumed began with another file; the folder is then as it was. So it is if a signal ends the
    process before anything is set aside.
    """
    file = config.network_file
    with nothing_to_finish():
        require_keepable(config.env_id, run.path, config.resume)
        network = read_network(file) if file else None
        if config.resume and run.start.exists():  # the original may be of a run that was set aside
            config = replace(config, start_from=run.start)
        goes_on = config.resume and run.checkpoint.exists()
        if goes_on:
            if file and network is not None:
                require_kept(file, network, run.models)
        else:
            require_network(config, run)
            require_own_databases(config, run)
    keep_rules(config.env_id, run.path, config.resume)  # once nothing can refuse the run: it may replace a copy
    if not goes_on:
        if config.resume:
            log.info("there is nothing to resume in %s: a new run begins", run.path)
        config = replace(config, start_from=kept_start(config, run))
        begin_anew(run, run.shards(config.replay_shards), config.replay_window)
    if network is None:
        return config
    keep_network(network, run.models)
    return replace(config, network_file=(run.models / NETWORK).absolute())


def kept_start(config: LoopConfig, run: RunFolder) -> Path | None:
    """A copy of the model that a new run starts from, because the original may be one of the run that is set aside.

    None if it starts from random weights. Raises ModelError if there is no such model.
    """
    if not config.start_from:
        run.start.unlink(missing_ok=True)  # that of an earlier run
        return None
    if config.start_from != run.start:
        write_bytes(run.start, read_model(model_path(config.start_from, config.env_id)))
    return run.start


def require_network(config: LoopConfig, run: RunFolder) -> None:
    """Raise TrainerError if a new run's network can't be made, or can't begin with the weights of `--start-from`."""
    without_board = config.network != "mlp" and not layout_of(game_of(config.env_id)).planes
    if not (config.network_file or config.start_from or without_board):
        return  # nothing can be wrong, and torch takes seconds to import
    from trainer.export import first_network
    from trainer.network import NetworkFile

    game = load_game_config(config.env_id, *run.shards(config.replay_shards))
    file = NetworkFile(config.network_file) if config.network_file else None
    first_network(config, game, file, config.start_from)


def require_own_databases(config: LoopConfig, run: RunFolder) -> None:
    """Raise ReplayError if a database of the run also holds games of another game, and its actor deletes old games."""
    for database in run.shards(config.replay_shards):
        if config.replay_window is not None and database.exists():
            with closing(open_for_reading(database)) as connection, reporting(database):
                refuse_other_games(connection, database, config.env_id)


def begin_anew(run: RunFolder, databases: Sequence[Path], window: int | None) -> None:
    """Set an earlier run in the folder aside; its games in these databases stay, and training begins with them.

    The actor deletes all but about the newest `window` rows; None: it keeps all.
    """
    if old := set_aside(run.models, run.stats):
        log.info("set the earlier run of this folder aside in %s", old)
    total = 0
    for database in databases:
        rows = 0
        with suppress(ReplayError):  # the actor says what is wrong with it
            rows = count_rows(database)
        total += rows
        if rows:
            log.warning(
                "%s holds games that were played before (%s rows), and training begins with them; "
                "to learn from nothing, give another folder with --data-dir",
                database,
                f"{rows:,}",
            )
    if window is not None and total > window:
        log.warning(
            "of these %s rows only the newest %s are kept; --replay-window None keeps all", f"{total:,}", f"{window:,}"
        )
