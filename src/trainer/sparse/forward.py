"""Kernels that evaluate a network through its active inputs, the inputs that are not 0.

A layer adds up the weights of the inputs that are active in a row (as NNUE does in its first layer; Nasu 2018). It does so
for 64 results at a time, which stay in the processor's registers. A row's answer depends on that row alone.

See `network.py` for the memory layout. B rows of a batch, R rows of an observation array.

Compiled by `trainer.compile.linker`, which binds `lanes`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.sparse.lanes import BLOCK, Block
from trainer.sparse.network import Floats, Memory, SparseNetwork

lanes: ModuleType

WORDS = 2
"""Words (64 inputs each) of a layer that are processed for all rows before the next ones; half as many for a pair of blocks.
They use 32 KiB of weights, which stay in the first-level cache."""


def evaluate(
    network: SparseNetwork, memory: Memory, rows: int, observation: Floats, logits: Floats, value: Floats
) -> None:
    """Evaluate the first `rows` rows of observation [R, obs_size]; write the policy logits [R, A] and values [R]."""
    pass_through(network, memory, rows, observation)
    activations = memory.activations
    heads = network.layers[len(network.layers) - 1]
    actions = logits.shape[1]
    for row in range(rows):
        at = heads.target * rows + row * heads.results
        if len(network.actions) and observation[row, network.seen + 1] != 0:
            for action in range(actions):
                logits[row, network.actions[action]] = activations[at + action]
        else:
            for action in range(actions):
                logits[row, action] = activations[at + action]
        value[row] = np.tanh(activations[at + actions])


def pass_through(network: SparseNetwork, memory: Memory, rows: int, observation: Floats) -> None:
    """Write the results of all layers for the first `rows` rows of observation [R, obs_size]."""
    write_view(network, rows, observation, memory.activations, memory.active)
    for index in range(len(network.taps)):
        cut_patches(network, index, rows, memory.activations, memory.active)
    heads = len(network.layers) - 1
    for index in range(heads):
        evaluate_layer(network, index, rows, memory)
    if network.legal >= 0:
        evaluate_legal(network, rows, memory)
    else:
        evaluate_layer(network, heads, rows, memory)


def write_view(
    network: SparseNetwork, rows: int, observation: Floats, activations: Floats, active: NDArray[np.uint64]
) -> None:
    """Write the view: the observation from the mover's side, with the players exchanged if the second one moves."""
    cells, seen, width = network.swapped, network.seen, network.view_width
    for row in range(rows):
        at = row * width
        if len(network.exchange) and observation[row, seen + 1] != 0:
            for i in range(seen):
                activations[at + i] = observation[row, network.exchange[i]]
            for i in range(seen, width):
                activations[at + i] = 0.0
            continue
        own = cells if cells and observation[row, seen + 1] != 0 else 0
        for i in range(cells):
            activations[at + i] = observation[row, own + i]
        for i in range(cells):
            activations[at + cells + i] = observation[row, cells - own + i]
        for i in range(2 * cells, seen):
            activations[at + i] = observation[row, i]
        for i in range(seen, width):
            activations[at + i] = 0.0
    # In a second loop, because numbers that were just written are slow to read.
    for word in range(rows * width // BLOCK):
        active[word] = lanes.bits_of(lanes.load_block(activations, word * BLOCK))


def cut_patches(network: SparseNetwork, index: int, rows: int, activations: Floats, active: NDArray[np.uint64]) -> None:
    """Write the active inputs of a convolution, which shows each place a patch of the view."""
    convolution = network.layers[index]
    width = convolution.places * convolution.inputs
    for row in range(rows):
        source = row * network.view_width
        target = convolution.source * rows + row * width
        for word in range(target // BLOCK, (target + width) // BLOCK):
            active[word] = 0
        for word in range(network.view_width // BLOCK):
            left = active[source // BLOCK + word]
            while left != 0:
                column = word * BLOCK + lanes.lowest(left)
                left &= left - np.uint64(1)
                for tap in range(network.taps.shape[2]):
                    shown_as = network.taps[index, column, tap]
                    if shown_as < 0:
                        break
                    at = target + shown_as
                    activations[at] = activations[source + column]
                    active[at // BLOCK] |= np.uint64(1) << np.uint64(at % BLOCK)


def evaluate_layer(network: SparseNetwork, index: int, rows: int, memory: Memory) -> None:
    """Write a layer's results, and which of them are active. The target region holds each row's sum between two words."""
    layer = network.layers[index]
    words, blocks = layer.inputs // BLOCK, layer.results // BLOCK
    pairs = blocks // 2 if lanes.PAIRS else 0
    for pair in range(pairs):
        for first in range(0, words, WORDS // 2):
            evaluate_pair(network, layer, rows, memory, 2 * pair, first, min(first + WORDS // 2, words))
    for block in range(2 * pairs, blocks):
        for first in range(0, words, WORDS):
            evaluate_block(network, layer, rows, memory, block, first, min(first + WORDS, words))


def evaluate_block(
    network: SparseNetwork, layer: Any, rows: int, memory: Memory, block: int, first: int, end: int
) -> None:
    """Add what the words first to end - 1 of the inputs add to a block of each row's results."""
    weights = layer.weights + block * layer.inputs * BLOCK
    for row in range(rows * layer.places):
        source = layer.source * rows + row * layer.inputs
        target = layer.target * rows + row * layer.results + block * BLOCK
        total = sum_before(network, layer, memory, block, first, target)
        total = lanes.add_active(total, memory.activations, memory.active, source, first, end, network.weights, weights)
        store_sum(layer, rows, memory, total, source + block * BLOCK, target, end)


def evaluate_pair(
    network: SparseNetwork, layer: Any, rows: int, memory: Memory, block: int, first: int, end: int
) -> None:
    """The same for a block and the next one, which is faster than one by one."""
    size = layer.inputs * BLOCK
    weights = layer.weights + block * size
    for row in range(rows * layer.places):
        source = layer.source * rows + row * layer.inputs
        target = layer.target * rows + row * layer.results + block * BLOCK
        one = sum_before(network, layer, memory, block, first, target)
        two = sum_before(network, layer, memory, block + 1, first, target + BLOCK)
        one, two = lanes.add_active_to_two(
            (one, two),
            memory.activations,
            memory.active,
            source,
            first,
            end,
            network.weights,
            (weights, weights + size),
        )
        store_sum(layer, rows, memory, one, source + block * BLOCK, target, end)
        store_sum(layer, rows, memory, two, source + (block + 1) * BLOCK, target + BLOCK, end)


def sum_before(network: SparseNetwork, layer: Any, memory: Memory, block: int, first: int, target: int) -> Block:
    """The sum of a block of a row's results before the word `first` of its inputs."""
    if first == 0 and not layer.adds:
        return lanes.load_block(network.biases, layer.bias + block * BLOCK)
    return lanes.load_block(memory.activations, target)


def store_sum(layer: Any, rows: int, memory: Memory, total: Block, source: int, target: int, end: int) -> None:
    """Store the sum of a block of a row's results; after the last word of the inputs, as the layer's result.

    `source`: the inputs that a residual layer adds.
    """
    if end * BLOCK == layer.inputs and layer.rectified:
        total = lanes.rectified_block(total)
        if layer.squared:
            total = lanes.product(total, total)
        if layer.residual:
            passed = target + (layer.passed - layer.target) * rows
            lanes.store_block(memory.activations, passed, total)
            memory.active[passed // BLOCK] = lanes.bits_of(total)
            total = lanes.add_scaled(total, np.float32(1.0), lanes.load_block(memory.activations, source))
        memory.active[target // BLOCK] = lanes.bits_of(total)
    lanes.store_block(memory.activations, target, total)


def evaluate_legal(network: SparseNetwork, rows: int, memory: Memory) -> None:
    """Write the heads' results, but 0 as the logit of every action that isn't legal."""
    heads = network.layers[len(network.layers) - 1]
    first, activations = network.legal, memory.activations
    last = first + network.moves
    for row in range(rows):
        target, view = heads.target * rows + row * heads.results, row * network.view_width
        activations[target : target + heads.results] = 0.0
        for word in range(first // BLOCK, (last - 1) // BLOCK + 1):
            left = memory.active[view // BLOCK + word]
            while left != 0:
                column = word * BLOCK + lanes.lowest(left)
                left &= left - np.uint64(1)
                if first <= column < last:
                    activations[target + column - first] = result(network, heads, rows, row, column - first, memory)
        activations[target + network.moves] = result(network, heads, rows, row, network.moves, memory)


def result(network: SparseNetwork, heads: Any, rows: int, row: int, number: int, memory: Memory) -> np.float32:
    """One result of a row's heads: its bias and the product of its weights with the inputs."""
    source = heads.source * rows + row * heads.inputs
    total = lanes.masked_block(lanes.load_block(memory.activations, source), np.uint64(0))
    for block in range(heads.inputs // BLOCK):
        weights = lanes.load_block(network.by_result, (block * heads.results + number) * BLOCK)
        total = lanes.add_elements(total, lanes.load_block(memory.activations, source + block * BLOCK), weights)
    return np.float32(network.biases[heads.bias + number] + lanes.sum_of(total))
