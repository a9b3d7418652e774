"""Kernels that evaluate a network from its active inputs, those that are not 0.

Most numbers of an observation are 0, and so are a half to nine tenths of those behind a ReLU. A product of matrices
multiplies them all; here a layer adds up the weights of the inputs that are active in a row (as NNUE does in its first
layer; Nasu 2018), 64 results at a time, which stay in the processor's registers. A row's answer depends on that row alone.

`layers.py` says how everything lies in memory. B rows, R of an observation.

Compiled by `trainer.compile.linker`, which binds `lanes`.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from trainer.sparse.lanes import BLOCK
from trainer.sparse.layout import Floats, Memory, Network

lanes: ModuleType

WORDS = 2
"""Words of a layer's inputs that all rows pass by before the next: with a block of results they meet in 32 KiB of weights,
which stay in the first-level cache."""


def evaluate(network: Network, memory: Memory, rows: int, observation: Floats, logits: Floats, value: Floats) -> None:
    """Answer the first rows of `observation` [R, obs_size]: writes the policy's logits [R, A] and the values [R]."""
    pass_through(network, memory, rows, observation)
    room = memory.room
    heads = network.layers[len(network.layers) - 1]
    actions = logits.shape[1]
    for row in range(rows):
        at = heads.target * rows + row * heads.results
        for action in range(actions):
            logits[row, action] = room[at + action]
        value[row] = value_of(network, room, at + actions)


def pass_through(network: Network, memory: Memory, rows: int, observation: Floats) -> None:
    """Write the results of all layers for the first rows of `observation` [R, obs_size]."""
    look(network, rows, observation, memory.room, memory.active)
    if len(network.taps):
        cut_patches(network, rows, memory.room, memory.active)
    for index in range(len(network.layers)):
        add_up(network, index, rows, memory)


def value_of(network: Network, room: Floats, at: int) -> float:
    """The value that the value's logits stand for: of one by tanh, of three the chance to win less that to lose."""
    if network.value_logits == 1:
        return float(np.tanh(room[at]))
    largest = max(room[at], room[at + 1], room[at + 2])
    win, draw, loss = np.exp(room[at] - largest), np.exp(room[at + 1] - largest), np.exp(room[at + 2] - largest)
    return float((win - loss) / (win + draw + loss))


def look(network: Network, rows: int, observation: Floats, room: Floats, active: NDArray[np.uint64]) -> None:
    """Write the view: the observation from the mover's side, the two planes swapped where the second player moves."""
    cells, seen, width = network.swapped, network.seen, network.view_width
    for row in range(rows):
        at = row * width
        own = cells if cells and observation[row, seen + 1] != 0 else 0
        for i in range(cells):
            room[at + i] = observation[row, own + i]
        for i in range(cells):
            room[at + cells + i] = observation[row, cells - own + i]
        for i in range(2 * cells, seen):
            room[at + i] = observation[row, i]
        for i in range(seen, width):
            room[at + i] = 0.0
    for word in range(rows * width // BLOCK):  # not at once: what was just written is slow to read
        active[word] = lanes.bits_of(lanes.load_block(room, word * BLOCK))


def cut_patches(network: Network, rows: int, room: Floats, active: NDArray[np.uint64]) -> None:
    """Write what a convolution sees of the view: of its inputs, place by place, those that are active."""
    convolution = network.layers[0]
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
                for tap in range(network.taps.shape[1]):
                    seen_as = network.taps[column, tap]
                    if seen_as < 0:
                        break
                    at = target + seen_as
                    room[at] = room[source + column]
                    active[at // BLOCK] |= np.uint64(1) << np.uint64(at % BLOCK)


def add_up(network: Network, index: int, rows: int, memory: Memory) -> None:
    """Write the results of a layer, and which of them are active. What a row has so far waits in the room meanwhile."""
    layer = network.layers[index]
    room, active = memory.room, memory.active
    words = layer.inputs // BLOCK
    for block in range(layer.results // BLOCK):
        weights = layer.weights + block * layer.inputs * BLOCK
        for first in range(0, words, WORDS):
            end = min(first + WORDS, words)
            for row in range(rows * layer.places):
                source = layer.source * rows + row * layer.inputs
                target = layer.target * rows + row * layer.results + block * BLOCK
                if first == 0 and not layer.adds:
                    total = lanes.load_block(network.biases, layer.bias + block * BLOCK)
                else:
                    total = lanes.load_block(room, target)
                total = lanes.add_active(total, room, active, source, first, end, network.weights, weights)
                if end == words and layer.rectified:
                    total = lanes.rectified_block(total)
                    if layer.residual:
                        memory.passed[target // BLOCK] = lanes.bits_of(total)
                        total = lanes.add_products(total, np.float32(1.0), room, source + block * BLOCK)
                    active[target // BLOCK] = lanes.bits_of(total)
                lanes.store_block(room, target, total)
