"""A network as a list of layers, laid out in memory as the kernels of `forward.py` and `backward.py` read them.

B rows, I inputs of a layer, F results. All numbers of a batch are in one array, `room`: a region is [B, width], the width a
multiple of 64, and begins at its column times B. `active` has a bit for each number of the room, set where it isn't 0; a
number whose bit is not set is never read. Weights lie as they are read, in blocks: [F / 64, I, 64].
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from trainer.sparse.lanes import BLOCK

Floats = NDArray[np.float32]
Number = TypeVar("Number", bound=np.generic)

ALIGNMENT = 64
"""Bytes of a line of the processor's caches."""

LAYER = np.dtype(
    [
        ("source", np.int64),  # columns where the regions of the inputs and of the results begin
        ("target", np.int64),
        ("inputs", np.int64),  # of one place
        ("results", np.int64),
        ("places", np.int64),  # a row has so many of them, side by side, and the same weights for each: a convolution
        ("weights", np.int64),  # where they begin
        ("bias", np.int64),
        ("adds", np.bool_),  # to what the target holds, instead of to the bias
        ("rectified", np.bool_),  # by ReLU
        ("residual", np.bool_),  # the inputs are added in the end
    ],
    align=True,
)


class Network(NamedTuple):
    """The layers of a network, in order. The first region is the view: the observation as the mover sees it."""

    layers: NDArray[Any]
    """LAYER [L]; the last one is the heads: the policy's logits, then the value's."""
    weights: Floats
    biases: Floats
    swapped: int
    """Cells of the two planes that change places where the second player moves, or 0."""
    seen: int
    """Numbers of an observation that the mover sees; the rest of the view is 0."""
    view_width: int
    taps: NDArray[np.int64]
    """[view_width, at most so many] as which inputs, place by place, the first layer sees a column of the view if that layer
    is a convolution; -1 for none. [0, 0] where it isn't."""
    columns: int
    """Width of the room."""
    value_logits: int
    """1, or 3 for the chances to win, draw and lose."""


class Memory(NamedTuple):
    """Memory to evaluate at most so many rows R in."""

    room: Floats
    """[R columns]"""
    active: NDArray[np.uint64]
    """[R columns / 64]"""
    passed: NDArray[np.uint64]
    """[R columns / 64] of a residual layer: what its ReLU let through, before the inputs were added."""


NO_NETWORK = Network(
    layers=np.zeros(0, LAYER),
    weights=np.zeros(0, np.float32),
    biases=np.zeros(0, np.float32),
    swapped=0,
    seen=0,
    view_width=0,
    taps=np.zeros((0, 0), np.int64),
    columns=0,
    value_logits=1,
)


def memory_for(network: Network, rows: int) -> Memory:
    """Memory to evaluate so many rows in."""
    numbers, words = rows * network.columns, rows * network.columns // BLOCK
    return Memory(aligned(numbers, np.float32), aligned(words, np.uint64), aligned(words, np.uint64))


class Assembly:
    """Layers, appended one by one. What is given as weights need not be floats: numbers say where each weight goes."""

    def __init__(self, cells: int, seen: int, swaps: bool) -> None:
        """Begin with the view of an observation, of which the mover sees `seen` numbers.

        `swaps`: from the mover's side, that is the two planes of `cells` cells, with which it begins, change places.
        """
        self._cells = cells
        self._swapped = cells if swaps else 0
        self._seen = seen
        self._view = padded(seen)
        self._taps = np.zeros((0, 0), np.int64)
        self._layers: list[tuple[int, ...]] = []
        self._weights: list[NDArray[Any]] = []
        self._biases: list[NDArray[Any]] = []
        self._columns = self._places = 0
        self._newest = self._region(self._view)

    def stem(self, weight: NDArray[Any], bias: NDArray[Any], height: int, width: int) -> None:
        """A convolution over the planes without padding, behind it a ReLU: `weight` [F, planes, k, k], `bias` [F]."""
        filters, planes, side, _ = weight.shape
        kernel = np.arange(planes)[:, None, None] * self._cells + np.arange(side)[:, None] * width + np.arange(side)
        corners = np.arange(height - side + 1)[:, None] * width + np.arange(width - side + 1)
        places, inputs = corners.size, padded(kernel.size)
        columns = corners.reshape(-1, 1) + kernel.reshape(1, -1)  # [places, the inputs there]
        seen_as = np.arange(places)[:, None] * inputs + np.arange(kernel.size)
        self._taps = np.full((self._view, np.bincount(columns.ravel()).max()), -1)
        for column in range(planes * self._cells):
            found = seen_as[columns == column]
            self._taps[column, : len(found)] = found
        patches = self._region(places * inputs)
        self._newest = self._region(places * padded(filters))
        self._places = places
        self._append(patches, self._newest, weight.reshape(filters, -1).T, bias, places=places, rectified=True)

    def joined(self, weight: NDArray[Any], bias: NDArray[Any]) -> None:
        """A layer, behind it a ReLU, whose inputs are the stem's results, filter by filter, and the legal moves."""
        places, stem = self._places, self._newest
        filters = (weight.shape[1] - (self._seen - 2 * self._cells)) // places
        by_filter, legal = np.split(weight, [filters * places], axis=1)
        by_place = np.zeros((places, stem[1] // places, len(weight)), weight.dtype)
        by_place[:, :filters] = by_filter.reshape(-1, filters, places).transpose(2, 1, 0)
        of_view = np.zeros((self._view, len(weight)), weight.dtype)
        of_view[2 * self._cells : self._seen] = legal.T
        self._newest = self._region(padded(len(weight)))
        self._append(stem, self._newest, by_place.reshape(-1, len(weight)), bias)
        self._append((0, self._view), self._newest, of_view, bias[:0], adds=True, rectified=True)

    def dense(
        self, weight: NDArray[Any], bias: NDArray[Any], *, rectified: bool = True, residual: bool = False
    ) -> None:
        """A layer whose inputs are the newest results: `weight` [F, I], `bias` [F]; `residual`: and adds them in the end."""
        source, self._newest = self._newest, self._region(padded(len(weight)))
        self._append(source, self._newest, weight.T, bias, rectified=rectified, residual=residual)

    def network(self, value_logits: int) -> Network:
        """All of it, the last layer being the heads."""
        return Network(
            layers=np.array(self._layers, LAYER),
            weights=joined(self._weights),
            biases=joined(self._biases),
            swapped=self._swapped,
            seen=self._seen,
            view_width=self._view,
            taps=self._taps,
            columns=self._columns,
            value_logits=value_logits,
        )

    def _region(self, width: int) -> tuple[int, int]:
        """Room for so many numbers: column, width."""
        self._columns += width
        return self._columns - width, width

    def _append(
        self,
        source: tuple[int, int],
        target: tuple[int, int],
        matrix: NDArray[Any],
        bias: NDArray[Any],
        places: int = 1,
        adds: bool = False,
        rectified: bool = False,
        residual: bool = False,
    ) -> None:
        """A layer from one region to another; `matrix` [I, F]."""
        inputs, results = source[1] // places, target[1] // places
        filled, filled_bias = np.zeros((inputs, results), matrix.dtype), np.zeros(results, bias.dtype)
        filled[: matrix.shape[0], : matrix.shape[1]] = matrix
        filled_bias[: len(bias)] = bias
        begin = sum(map(len, self._weights)), sum(map(len, self._biases))
        self._layers.append((source[0], target[0], inputs, results, places, *begin, adds, rectified, residual))
        self._weights.append(filled.reshape(inputs, -1, BLOCK).swapaxes(0, 1).ravel())
        self._biases.append(filled_bias)


def padded(width: int) -> int:
    """The next multiple of a block."""
    return -(-width // BLOCK) * BLOCK


def joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """The parts in one array, which begins at the start of a line of the cache."""
    return np.concatenate(parts, out=aligned(sum(map(len, parts)), parts[0].dtype.type))


def aligned(length: int, dtype: type[Number]) -> NDArray[Number]:
    """An array of zeros that begins at the start of a line of the cache."""
    size = length * np.dtype(dtype).itemsize
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    begin = -memory.ctypes.data % ALIGNMENT
    return memory[begin : begin + size].view(dtype)
