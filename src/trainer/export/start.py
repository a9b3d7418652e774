"""The network that a new run starts with, also from the weights of a model."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import torch

from trainer.core.errors import ModelError, first_line
from trainer.export.stored import StoredNetwork, Weights, described, fill
from trainer.export.widening import can_widen, widened
from trainer.game_config import GameConfig
from trainer.network import CustomNetwork, MoverNetwork, NetworkFile, NetworkSettings, PolicyValueNetwork, new_network
from trainer.pretrained import model_path
from trainer.run.model_files import read_model


def first_network(
    settings: NetworkSettings, game: GameConfig, file: NetworkFile | None, start_from: Path | None
) -> MoverNetwork:
    """The network of a new run, with the weights of the model `start_from`; None: with random ones.

    `file`: the one that `--network-file` names. Raises ConfigError for a network that the game can't have, ModelError if the
    model's weights don't fit, or can't be read.
    """
    network = new_network(settings, game, file)
    if start_from:
        begin_with(network, start_from, game.metadata.env_id)
    return network


def begin_with(network: MoverNetwork, path: Path, env_id: str) -> None:
    """Copy a model file's weights into the network of a new run. Raises ModelError if they don't fit, or can't be read.

    The model's network may be narrower. It may be of another game, if that has observations and actions of the same sizes.
    """
    path = model_path(path, env_id)
    content = read_model(path)
    try:
        stored = StoredNetwork.read(content)
    except Exception as error:  # protobuf's errors have no common base
        raise ModelError(f"{path} is not an ONNX model that can be loaded ({first_line(error)})") from error
    weights = stored.weights
    try:
        if isinstance(network, PolicyValueNetwork):
            settings = stored.kind(None)
            assert isinstance(settings, NetworkSettings)
            weights = fitting(weights, settings, network)
        elif isinstance(network, CustomNetwork) and not described(network).items() <= stored.metadata.items():
            require_all(network, weights)
        fill(network, weights)
    except ModelError as error:
        raise ModelError(f"the run can't begin with --start-from {path}: {error}") from error


def require_all(network: CustomNetwork, weights: Weights) -> None:
    """Raise ModelError if a model that an edited file made lacks weights of the network."""
    lacking = [name for name, _ in network.named_parameters() if name not in weights]
    if lacking:
        raise ModelError(f"it lacks the weights {lacking[0]}")


def fitting(weights: Weights, settings: NetworkSettings, network: PolicyValueNetwork) -> Weights:
    """The weights of a network with these settings, as those of `network`, which may be wider.

    Raises ModelError if it isn't such a network, or one for a game of other sizes.
    """
    grows = can_widen(settings, network.settings)
    if settings != network.settings and not grows:
        raise ModelError(
            f"its network has {flags_of(settings)}, so give these flags; or it was trained for another game"
        )
    found = weights
    if grows:
        with suppress(RuntimeError, LookupError):  # if it is of another game
            found = widened(weights, network)
    own = network.state_dict()
    if shapes_of(found) != shapes_of(own) or len(weights["policy.bias"]) != len(own["policy.bias"]):
        raise ModelError("it was trained for another game, whose observations or actions have other sizes")
    return found


def shapes_of(weights: Weights) -> dict[str, torch.Size]:
    """The shape of each of the weights."""
    return {name: values.shape for name, values in weights.items()}


def flags_of(settings: NetworkSettings) -> str:
    """The flags of a loop whose network has these settings, without those that don't apply to it."""
    names = ["network", "width", "activation"]
    names += {"conv": ["units", "lines"], "residual": ["blocks", "pooling"]}.get(settings.network, [])
    return " ".join(f"--{name} {getattr(settings, name)}" for name in names)
