"""How a run begins: from the checkpoint in its folder, or anew, with an earlier run set aside."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

from trainer.core.errors import CheckpointError, ConfigError
from trainer.games.library import rules_differ
from trainer.network import NetworkFile
from trainer.run.folder import RunFolder, set_aside
from trainer.run.kept_network import keep_network, kept_networks, require_kept
from trainer.run.model_files import CHECKPOINT, LATEST
from trainer.run.record import TRAIN, recorded_settings, require_same_run, write_record
from trainer.settings.trainer import TrainerConfig
from trainer.training.checkpoint import Checkpoint, load_checkpoint
from trainer.training.publish import remove_models_after

log = logging.getLogger(__name__)


def resumable(config: TrainerConfig, record: Path, file: NetworkFile | None, stamp: str | None) -> Checkpoint | None:
    """The checkpoint that the run goes on from; None if it begins anew. Changes no file.

    `record`: the path of run.json. `file`: that of `--network-file`. `stamp`: the hash of the game's rules, if it has one.
    Raises ConfigError if the run in the folder has other settings, models or another network's file, and CheckpointError if
    the checkpoint can't be read, or is of other rules.
    """
    if not config.resume:
        return None
    checkpoint = load_checkpoint(config.model_dir, config.env_id)
    if checkpoint is None:
        log.info("there is no %s in %s to resume: starting from the beginning", CHECKPOINT, config.model_dir)
        return None
    if rules_differ(checkpoint.rules, stamp):
        raise CheckpointError(
            f"{config.model_dir / CHECKPOINT} was trained by other rules of {config.env_id}: their hash was "
            f"{checkpoint.rules}, and that of the rules here is {stamp}; undo the edit to go on, or start a new run "
            f"without --resume"
        )
    require_same_run(record, TRAIN, config)
    require_same_models(config.model_dir, record)
    if file:
        require_kept(file.path, file.text, config.model_dir)
    return checkpoint


def require_same_models(models: Path, record: Path) -> None:
    """Raise ConfigError if run.json, beside the statistics, is that of a run with other models."""
    recorded = recorded_settings(record, TRAIN, TrainerConfig)
    if recorded and os.path.realpath(recorded.model_dir) != os.path.realpath(models):
        raise ConfigError(
            f"{record} is of the run with the models in {recorded.model_dir}, not of that in {models}; give the "
            f"--stats that the run in {models} was started with; if it is this one, the later run has set the earlier "
            f"run.json and statistics aside in {recorded.model_dir}/old-*, and you can move them back"
        )


def take_folder(config: TrainerConfig, folder: RunFolder, file: NetworkFile | None, done: int) -> None:
    """Make the folder that of a run that goes on after the step `done`; 0: of a new run, so an earlier one is set aside.

    run.json is written last, so that it describes what is in the folder. It names the run's copy of a network's `file`.
    """
    if done:
        remove_models_after(config.model_dir, done)
    else:
        if old := set_aside(config.model_dir, config.stats):
            log.info("set the earlier run of this folder aside in %s; %s stays until the first new model", old, LATEST)
        keep_network(file.text if file else None, config.model_dir)
    copies = kept_networks(config.model_dir) if file else []
    recorded = replace(config, network_file=next(iter(copies), None))
    write_record(folder.record, TRAIN, recorded, resumed=done > 0)
