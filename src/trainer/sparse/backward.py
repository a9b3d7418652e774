"""Kernels that compute the gradient of a network that `forward.py` has evaluated, through its active inputs.

An input that is 0 adds nothing to the gradient of its weights, and a result that a ReLU stopped has a derivative of 0. Both
are skipped: the gradient of a layer's weights is added up over the inputs that are active in a row, the derivatives of its
inputs over the results that passed the ReLU. Sums run over the rows in order.

See `network.py` for the memory layout. B rows, I inputs of a layer, F results, L layers. A delta is the derivative of the
loss with respect to an activation. The deltas are in a second `Memory`, each at the place of its activation. A layer's own
deltas are first taken after its ReLU, and its square if there is one; `pass_back` turns them into those before it.

Compiled by `trainer.compile.linker`, which binds `lanes` and `forward`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.sparse.lanes import BLOCK
from trainer.sparse.network import Floats, Memory, SparseNetwork

forward: ModuleType
lanes: ModuleType

TRANSPOSED_ROWS = 128
"""Rows that are transposed at a time. A block of them is 32 KiB, which stay in the first-level cache."""


class Gradient(NamedTuple):
    """The gradient with respect to a network's weights and biases, in the order in which the network stores them."""

    weights: Floats
    biases: Floats
    transposed: Floats
    """Memory for weights, or their gradient, in blocks [I / 64, F, 64] instead of [F / 64, I, 64]."""
    from_results: NDArray[np.bool_]
    """[L] the gradient of the layer's weights was added up over its active results, not its active inputs."""


class Operand(NamedTuple):
    """One of the two matrices whose product is the gradient of a layer's weights: its inputs, or its results' deltas."""

    values: Floats
    active: NDArray[np.uint64]
    begin: int
    """Where the region begins."""
    width: int
    """Numbers per row (and place)."""


class TransposeBuffer(NamedTuple):
    """Memory for some rows of an operand, transposed, and a block of the other operand."""

    columns: Floats
    """[W, TRANSPOSED_ROWS], W the largest number of inputs or results of any layer."""
    active: NDArray[np.uint64]
    """[W, TRANSPOSED_ROWS / 64] one bit per number: it is not 0."""
    block: Floats
    """[TRANSPOSED_ROWS, 64] the numbers that the columns are multiplied with."""


def differentiate(
    network: SparseNetwork,
    learns: NDArray[np.bool_],
    rows: int,
    memory: Memory,
    deltas: Memory,
    buffer: TransposeBuffer,
    to: Gradient,
) -> None:
    """Write the gradient of a batch; `memory` holds its activations, `deltas` those of the heads' results.

    `learns` [L]: the layer's inputs are other layers' results, so they need deltas.
    """
    to.weights[:] = 0.0
    to.biases[:] = 0.0
    for index in range(len(network.layers) - 1, -1, -1):
        layer = network.layers[index]
        pass_back(layer, rows, memory, deltas, to)
        places = rows * layer.places
        inputs = Operand(memory.activations, memory.active, layer.source * rows, layer.inputs)
        results = Operand(deltas.activations, deltas.active, layer.target * rows, layer.results)
        fewer = count_active(results, places) * inputs.width < count_active(inputs, places) * results.width
        to.from_results[index] = learns[index] and fewer
        if to.from_results[index]:
            to.transposed[layer.weights : layer.weights + layer.inputs * layer.results] = 0.0
            add_weights(results, inputs, places, buffer, to.transposed, layer.weights)
            transpose_blocks(to.transposed, layer.weights, layer.results, layer.inputs, to.weights)
            transpose_blocks(network.weights, layer.weights, layer.inputs, layer.results, to.transposed)
            add_inputs(layer, to.transposed, rows, deltas)
        else:
            add_weights(inputs, results, places, buffer, to.weights, layer.weights)
            if learns[index]:
                add_active_inputs(network, layer, rows, memory, deltas)


def count_active(operand: Operand, rows: int) -> int:
    """How many numbers of an operand are active, in all rows together."""
    found = 0
    for word in range(operand.begin // BLOCK, (operand.begin + rows * operand.width) // BLOCK):
        found += lanes.count(operand.active[word])
    return found


def pass_back(layer: Any, rows: int, memory: Memory, deltas: Memory, to: Gradient) -> None:
    """Turn the deltas after a layer's ReLU into those before it, and sum them up to the gradient of its biases.

    The inputs of a residual layer also get the deltas after it.
    """
    for block in range(layer.results // BLOCK):
        total = lanes.load_block(to.biases, layer.bias + block * BLOCK)
        for row in range(rows * layer.places):
            at = layer.target * rows + row * layer.results + block * BLOCK
            delta = lanes.load_block(deltas.activations, at)
            if layer.rectified:
                if layer.residual:
                    lanes.store_block(deltas.activations, at + (layer.source - layer.target) * rows, delta)
                result = at + (layer.passed - layer.target) * rows
                if layer.squared:  # the derivative of r r is 2 r, and r the root of what is stored
                    delta = lanes.product(delta, lanes.root_of(lanes.load_block(memory.activations, result)))
                    delta = lanes.add_scaled(delta, np.float32(1.0), delta)
                passed = memory.active[result // BLOCK]
                delta = lanes.masked_block(delta, passed)
                lanes.store_block(deltas.activations, at, delta)
                deltas.active[at // BLOCK] = passed
            total = lanes.add_scaled(total, np.float32(1.0), delta)
        lanes.store_block(to.biases, layer.bias + block * BLOCK, total)


def add_weights(leading: Operand, other: Operand, rows: int, buffer: TransposeBuffer, to: Floats, begin: int) -> None:
    """to[block, i] += the sum over rows of leading[row, i] * other[row, block], for the active numbers of `leading`.

    Some rows at a time are transposed, so that a sum over them stays in the processor's registers.
    """
    for first in range(0, rows, TRANSPOSED_ROWS):
        end = min(first + TRANSPOSED_ROWS, rows)
        transpose(leading, first, end, buffer)
        for block in range(other.width // BLOCK):
            for row in range(first, end):
                at = other.begin + row * other.width + block * BLOCK
                lanes.store_block(buffer.block, (row - first) * BLOCK, lanes.load_block(other.values, at))
            for i in range(leading.width):
                at = begin + (block * leading.width + i) * BLOCK
                total = lanes.load_block(to, at)
                total = lanes.add_active(
                    total,
                    buffer.columns,
                    buffer.active,
                    i * TRANSPOSED_ROWS,
                    0,
                    TRANSPOSED_ROWS // BLOCK,
                    buffer.block,
                    0,
                )
                lanes.store_block(to, at, total)


def transpose(operand: Operand, first: int, end: int, buffer: TransposeBuffer) -> None:
    """Write the active numbers of rows first to end - 1 into the buffer's columns."""
    words = TRANSPOSED_ROWS // BLOCK
    buffer.active[: operand.width * words] = np.uint64(0)
    for word in range(operand.width // BLOCK):
        for row in range(first, end):
            at = operand.begin + row * operand.width + word * BLOCK
            place, bit = (row - first) // BLOCK, np.uint64(1) << np.uint64((row - first) % BLOCK)
            left = operand.active[at // BLOCK]
            while left != 0:
                i = lanes.lowest(left)
                left &= left - np.uint64(1)
                column = word * BLOCK + i
                buffer.columns[column * TRANSPOSED_ROWS + row - first] = operand.values[at + i]
                buffer.active[column * words + place] |= bit


def add_inputs(layer: Any, transposed: Floats, rows: int, deltas: Memory) -> None:
    """Write the deltas of a layer's inputs: per row, the sum over the results that passed of their weights times deltas.

    `transposed`: the layer's weights in blocks [I / 64, F, 64], at its place in the network.
    """
    words = layer.results // BLOCK
    for block in range(layer.inputs // BLOCK):
        weights = layer.weights + block * layer.results * BLOCK
        for first in range(0, words, forward.WORDS):
            end = min(first + forward.WORDS, words)
            for row in range(rows * layer.places):
                source = layer.source * rows + row * layer.inputs + block * BLOCK
                target = layer.target * rows + row * layer.results
                total = lanes.load_block(deltas.activations, source)
                if first == 0 and not layer.residual:
                    total = lanes.masked_block(total, np.uint64(0))
                total = lanes.add_active(
                    total, deltas.activations, deltas.active, target, first, end, transposed, weights
                )
                lanes.store_block(deltas.activations, source, total)


def add_active_inputs(network: SparseNetwork, layer: Any, rows: int, memory: Memory, deltas: Memory) -> None:
    """Write the deltas of a layer's active inputs alone. Those of the others aren't needed: their ReLU let nothing pass."""
    for row in range(rows * layer.places):
        source = layer.source * rows + row * layer.inputs
        target = layer.target * rows + row * layer.results
        for word in range(layer.inputs // BLOCK):
            left = memory.active[source // BLOCK + word]
            while left != 0:
                i = word * BLOCK + lanes.lowest(left)
                left &= left - np.uint64(1)
                total = lanes.masked_block(lanes.load_block(deltas.activations, target), np.uint64(0))
                for block in range(layer.results // BLOCK):
                    weights = lanes.load_block(network.weights, layer.weights + (block * layer.inputs + i) * BLOCK)
                    total = lanes.add_elements(
                        total, lanes.load_block(deltas.activations, target + block * BLOCK), weights
                    )
                before = deltas.activations[source + i] if layer.residual else np.float32(0.0)
                deltas.activations[source + i] = before + lanes.sum_of(total)


def transpose_blocks(numbers: Floats, begin: int, inputs: int, results: int, to: Floats) -> None:
    """Write the blocks [results / 64, inputs, 64] that begin at `begin` as blocks [inputs / 64, results, 64] there."""
    for block in range(results // BLOCK):
        for other in range(inputs // BLOCK):
            source = begin + (block * inputs + other * BLOCK) * BLOCK
            target = begin + (other * results + block * BLOCK) * BLOCK
            for i in range(BLOCK):
                for j in range(BLOCK):
                    to[target + i * BLOCK + j] = numbers[source + j * BLOCK + i]
