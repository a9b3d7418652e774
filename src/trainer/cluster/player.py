"""A player: an actor whose games go to a hub, and whose models and rules come from there."""

from __future__ import annotations

import logging
from dataclasses import replace
from threading import Event

from trainer.actor.actor import fitted, play, self_play_loader
from trainer.cluster.remote_model import RemoteModel
from trainer.cluster.remote_sink import RemoteSink
from trainer.cluster.transport import Transport
from trainer.cluster.versions import our_versions
from trainer.core.files import temporary_folder
from trainer.evaluators.hot_reload import ModelFile
from trainer.games.recipes import threads_with_gpu
from trainer.gpu.choice import means_gpu, reason_for
from trainer.run.actor_stats import ActorStats
from trainer.run.folder import RunFolder
from trainer.run.model_files import NETWORK

log = logging.getLogger(__name__)


def play_for(transport: Transport, name: str, cores: int, stop: Event, gpu: bool = True) -> ActorStats:
    """Join the hub as the player `name` and play on `cores` cores, and on a GPU if the run uses some, until `stop` is set.

    `gpu`: whether it may use a GPU of this machine. All finished games are stored before it returns. Raises RefusedError if
    the hub and this machine have other versions.
    """
    assignment = transport.join(name, our_versions())
    with temporary_folder("cartridge-player-") as folder:
        rules = folder / "rules"
        rules.mkdir()
        found = assignment.rules.open(rules)
        game = found.game
        settings = assignment.settings if gpu else replace(assignment.settings, device="cpu")
        if assignment.gpu_wanted and not gpu:
            log.warning("Ray has given %s no GPU, so it plays on the CPU; start Ray there with --num-gpus", name)
        on_gpu = means_gpu(settings.device)
        if assignment.gpu_wanted and gpu and not on_gpu:
            log.warning(
                "the GPU of %s can't be used (%s), so it plays on the CPU; mend that and start Ray there again",
                name,
                reason_for(settings.device),
            )
        threads = threads_with_gpu(cores) if on_gpu else cores
        settings = replace(settings, env_id=found.name, threads=threads, wait_for_model=True)
        # Without a seed: a player that comes back would draw the same numbers again.
        settings = fitted(replace(settings, seed=None))
        if assignment.network_file is not None:
            settings = replace(settings, network_file=folder / NETWORK)
            (folder / NETWORK).write_bytes(assignment.network_file)
        path = RunFolder(folder).latest_model
        path.parent.mkdir()
        file = ModelFile(path, self_play_loader(game.env_id, settings))
        sink = RemoteSink(transport, name, game, assignment.first_number)
        try:
            return play(settings, RemoteModel(transport, file), sink, stop)
        finally:
            sink.close()
