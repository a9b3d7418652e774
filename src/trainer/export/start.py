"""A run that starts from the weights of a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx

from trainer.core.errors import ModelError, first_line
from trainer.export.weights import Weights, activation_of, described, fill, kind_of, own_kind, weights_of
from trainer.export.widening import can_widen, widened
from trainer.network import MoverNetwork, OwnNetwork, PolicyValueNetwork
from trainer.pretrained import model_path
from trainer.run.model_files import read_model


def begin_with(network: MoverNetwork, path: Path, env_id: str) -> None:
    """Copy a model file's weights into the network of a new run. Raises ModelError if they don't fit, or can't be read.

    The model's network may be narrower. It may be of another game, if that has observations and actions of the same sizes.
    """
    path = model_path(path, env_id)
    content = read_model(path)
    try:
        weights = weights_of(content)
        metadata = {entry.key: entry.value for entry in onnx.load_model_from_string(content).metadata_props}
    except Exception as error:  # protobuf's errors have no common base
        raise ModelError(f"{path} is not an ONNX model that can be loaded ({first_line(error)})") from error
    try:
        if isinstance(network, OwnNetwork) and not described(network).items() <= metadata.items():
            require_all(network, weights)
        if isinstance(network, PolicyValueNetwork):
            found, own = kind_of(weights, activation_of(content)), kind_of(network.state_dict(), network.activation)
            if can_widen(found, own):
                weights = widened(weights, network)
            elif found.activation != own.activation:
                raise ModelError(f"its weights are of another network: {found}")
        fill(network, weights)
    except (ModelError, RuntimeError, LookupError) as error:  # the last two if weights of another game are widened
        reason = str(error) if isinstance(network, OwnNetwork) else fitting(weights, content, metadata)
        raise ModelError(f"the run can't begin with --start-from {path}: {reason}") from error


def require_all(network: OwnNetwork, weights: Weights) -> None:
    """Raise ModelError if a model that an edited file made lacks weights of the network."""
    lacking = [name for name, _ in network.named_parameters() if name not in weights]
    if lacking:
        raise ModelError(f"it lacks the weights {lacking[0]}")


def fitting(weights: Weights, content: bytes, metadata: Mapping[str, str]) -> str:
    """Why a model's weights don't fit a network of this package, and what to do."""
    try:
        own_kind(metadata, None)
        kind = kind_of(weights, activation_of(content))
    except ModelError as error:
        return str(error)
    size = f"--network {kind.family} --width {kind.width} --activation {kind.activation}"
    if kind.family == "conv":
        size += f" --units {kind.units}"
    if kind.family == "residual":
        size += f" --blocks {kind.blocks} --pooling {kind.pooling}"
    return f"its network has {size}, so give these flags; or it was trained for another game"
