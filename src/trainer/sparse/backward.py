"""Kernels that differentiate a network which `forward.py` has evaluated, by its active inputs.

An input that is 0 adds nothing to the gradient of its weights, and what a ReLU has stopped has no slope. So both are passed
over: the gradient of a layer's weights is added up over the inputs that are active in a row, that of its inputs over the
results that passed. The order of the sums is that of the rows.

`layers.py` says how everything lies in memory. B rows; a slope is the gradient of the loss by one number of the room: slopes
are a `Memory`, too, those of a layer's results before its ReLU.

Compiled by `trainer.compile.linker`, which binds `lanes` and `forward`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.sparse.lanes import BLOCK
from trainer.sparse.layout import Floats, Memory, Network

forward: ModuleType
lanes: ModuleType

STACK = 128
"""Rows that are turned at a time: a block of them is 32 KiB, which stay in the first-level cache."""


class Gradient(NamedTuple):
    """The gradient by the weights and biases of a network, in the order of those."""

    weights: Floats
    biases: Floats
    reversed: NDArray[np.bool_]
    """[L] the layer's weights lie in blocks [I / 64, F, 64], not [F / 64, I, 64]."""


class Side(NamedTuple):
    """One side of the products that make a layer's weights' gradient: its inputs, or the slopes of its results."""

    room: Floats
    active: NDArray[np.uint64]
    begin: int
    """Where the region begins."""
    width: int
    """Numbers of a row, at one place."""


class Stack(NamedTuple):
    """Memory for rows that are turned, so that they stand column by column."""

    columns: Floats
    """[the widest layer's inputs or results, STACK]"""
    active: NDArray[np.uint64]
    """[..., STACK / 64] which of these aren't 0."""
    block: Floats
    """[STACK, 64] what they are multiplied with."""


def differentiate(
    network: Network,
    reverse: Floats,
    learns: NDArray[np.bool_],
    rows: int,
    memory: Memory,
    slopes: Memory,
    stack: Stack,
    to: Gradient,
) -> None:
    """Write the gradient of a batch of which `memory` has the results and `slopes` those of the heads.

    `reverse`: each layer's weights once more, at the same place, in blocks [I / 64, F, 64]. `learns` [L]: the inputs of the
    layer are other layers' results, and so have slopes.
    """
    to.weights[:] = 0.0
    to.biases[:] = 0.0
    for index in range(len(network.layers) - 1, -1, -1):
        layer = network.layers[index]
        pass_back(layer, rows, memory, slopes, to)
        places = rows * layer.places
        inputs = Side(memory.room, memory.active, layer.source * rows, layer.inputs)
        results = Side(slopes.room, slopes.active, layer.target * rows, layer.results)
        fewer = count_active(results, places) * inputs.width < count_active(inputs, places) * results.width
        to.reversed[index] = learns[index] and fewer
        if to.reversed[index]:
            add_weights(results, inputs, places, stack, to.weights, layer.weights)
        else:
            add_weights(inputs, results, places, stack, to.weights, layer.weights)
        if learns[index]:
            add_inputs(layer, reverse, rows, slopes)


def count_active(side: Side, rows: int) -> int:
    """How many numbers of a side are active in all rows."""
    found = 0
    for word in range(side.begin // BLOCK, (side.begin + rows * side.width) // BLOCK):
        found += lanes.count(side.active[word])
    return found


def pass_back(layer: Any, rows: int, memory: Memory, slopes: Memory, to: Gradient) -> None:
    """The gradient of a layer's biases, the sum of its slopes; first those behind its ReLU become those before it.

    The inputs of a residual layer have the former, too.
    """
    for block in range(layer.results // BLOCK):
        total = lanes.load_block(to.biases, layer.bias + block * BLOCK)
        for row in range(rows * layer.places):
            at = layer.target * rows + row * layer.results + block * BLOCK
            slope = lanes.load_block(slopes.room, at)
            if layer.rectified:
                passed = memory.active[at // BLOCK]
                if layer.residual:
                    lanes.store_block(slopes.room, at + (layer.source - layer.target) * rows, slope)
                    passed = memory.passed[at // BLOCK]
                slope = lanes.kept_block(slope, passed)
                lanes.store_block(slopes.room, at, slope)
                slopes.active[at // BLOCK] = passed
            total = lanes.add_scaled(total, np.float32(1.0), slope)
        lanes.store_block(to.biases, layer.bias + block * BLOCK, total)


def add_weights(leading: Side, other: Side, rows: int, stack: Stack, to: Floats, begin: int) -> None:
    """to[block, i] += the sum over rows of leading[row, i] * other[row, block], for what is active of the leading side.

    A stack of rows at a time is turned, so that a sum stays in the processor's registers.
    """
    for first in range(0, rows, STACK):
        end = min(first + STACK, rows)
        turn(leading, first, end, stack)
        for block in range(other.width // BLOCK):
            for row in range(first, end):
                at = other.begin + row * other.width + block * BLOCK
                lanes.store_block(stack.block, (row - first) * BLOCK, lanes.load_block(other.room, at))
            for i in range(leading.width):
                at = begin + (block * leading.width + i) * BLOCK
                total = lanes.load_block(to, at)
                total = lanes.add_active(
                    total, stack.columns, stack.active, i * STACK, 0, STACK // BLOCK, stack.block, 0
                )
                lanes.store_block(to, at, total)


def turn(side: Side, first: int, end: int, stack: Stack) -> None:
    """Write what is active in the rows from `first` to before `end` column by column."""
    words = STACK // BLOCK
    stack.active[: side.width * words] = np.uint64(0)
    for word in range(side.width // BLOCK):
        for row in range(first, end):
            at = side.begin + row * side.width + word * BLOCK
            place, bit = (row - first) // BLOCK, np.uint64(1) << np.uint64((row - first) % BLOCK)
            left = side.active[at // BLOCK]
            while left != 0:
                i = lanes.lowest(left)
                left &= left - np.uint64(1)
                column = word * BLOCK + i
                stack.columns[column * STACK + row - first] = side.room[at + i]
                stack.active[column * words + place] |= bit


def add_inputs(layer: Any, reverse: Floats, rows: int, slopes: Memory) -> None:
    """The slopes of a layer's inputs: for each row the sum of the weights of the results that passed, by their slopes."""
    words = layer.results // BLOCK
    for block in range(layer.inputs // BLOCK):
        weights = layer.weights + block * layer.results * BLOCK
        for first in range(0, words, forward.WORDS):
            end = min(first + forward.WORDS, words)
            for row in range(rows * layer.places):
                source = layer.source * rows + row * layer.inputs + block * BLOCK
                target = layer.target * rows + row * layer.results
                total = lanes.load_block(slopes.room, source)
                if first == 0 and not layer.residual:
                    total = lanes.kept_block(total, np.uint64(0))
                total = lanes.add_active(total, slopes.room, slopes.active, target, first, end, reverse, weights)
                lanes.store_block(slopes.room, source, total)


def gather(values: Floats, at: NDArray[np.int32], to: Floats) -> None:
    """to[i] = values[at[i]]"""
    for i in range(len(at)):
        to[i] = values[at[i]]


def scatter(
    network: Network, gradient: Gradient, at: NDArray[np.int32], at_reversed: NDArray[np.int32], to: Floats
) -> None:
    """to[at[i]] = gradient.weights[i], by the places that the order of each layer's weights asks for."""
    for index in range(len(network.layers)):
        layer = network.layers[index]
        homes = at_reversed if gradient.reversed[index] else at
        for i in range(layer.weights, layer.weights + layer.inputs * layer.results):
            to[homes[i]] = gradient.weights[i]
