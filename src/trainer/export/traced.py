"""A custom network as an ONNX graph, which torch's exporter traces. B batch."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature

import onnx
import torch

from trainer.core.errors import ConfigError, ModelError, first_line
from trainer.core.packages import require_onnxscript
from trainer.network import CustomNetwork, MoverNetwork
from trainer.replay import Metadata
from trainer.run.model_contract import OBSERVATION, OUTPUTS

OPSET = 18
NEEDED = {"dynamo", "dynamic_shapes", "optimize", "external_data", "verbose"}
"""Settings of torch's exporter, which had other ones before."""
TRACED = 3
"""Rows with which a network is traced. The exporter takes sizes 0 and 1 for constants."""


def traced_model(network: MoverNetwork, game: Metadata) -> onnx.ModelProto:
    """The model of any network. Its weights have the names of the network's state, so they can be replaced.

    Takes some seconds. Raises ConfigError if the exporter isn't installed, ModelError if it can't export the network.
    """
    require_onnxscript()
    if lacking := NEEDED.difference(signature(torch.onnx.export).parameters):
        raise ConfigError(
            f"the export of a custom network needs torch 2.6 or later; the exporter of torch {torch.__version__} lacks "
            f"{min(lacking)}"
        )
    named = f"a {type(network).__name__}"
    if isinstance(network, CustomNetwork):
        named = f"the network of --network-file {network.file.path}"
    traced = copy.deepcopy(network).cpu().eval()
    sample = torch.zeros(TRACED, game.obs_size)
    try:
        with silent_exporter():
            program = torch.onnx.export(
                traced,
                (sample,),
                dynamo=True,
                input_names=[OBSERVATION],
                output_names=OUTPUTS,
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                opset_version=OPSET,
                optimize=False,  # it may merge weights, which could then not be replaced
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # whatever the exporter and somebody's module raise
        raise ModelError(
            f"torch can't export {named} to ONNX ({first_line(cause_of(error))}); its operations may not depend on the "
            f"numbers in a position, nor on how many positions there are"
        ) from error
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    if not model.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise ModelError(
            f"torch exported {named} for {TRACED} positions only; its code makes a number of how many there are, as "
            f"len(view) does: write view.shape[0]"
        )
    for node in model.graph.node:  # the exporter notes from which line of which file a node came
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    model.graph.ClearField("metadata_props")
    model.graph.ClearField("value_info")
    model.graph.name = game.env_id
    return model


@contextmanager
def silent_exporter() -> Iterator[None]:
    """Suppress what torch's exporter says about packages that it lacks and about its passes, and its warnings."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def cause_of(error: BaseException) -> BaseException:
    """The error that others were raised from."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
