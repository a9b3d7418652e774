"""Builds the layout of a network, layer by layer. I inputs of a layer, F results."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.games.layout import Layout
from trainer.sparse.lanes import BLOCK
from trainer.sparse.network import LAYER, SparseNetwork, aligned


class SparseNetworkBuilder:
    """Appends layers in order; `build` returns the network.

    The weights need not be floats: integers that number a network's parameters show where the layout puts each of them.
    """

    def __init__(self, layout: Layout | None, obs_size: int, *, squared: bool = False) -> None:
        """Start with the view of an observation of `obs_size` numbers; `layout` None: its view is all of it.

        `squared`: what a ReLU lets pass is squared, in every layer.
        """
        self._squared = squared
        self._layout = layout
        self._cells = layout.cells if layout else 0
        self._board = layout.board_numbers if layout else 0
        swaps = layout is not None and layout.swaps_planes
        self._swapped = self._cells if swaps else 0
        nothing = np.zeros(0, np.int64)
        exchanges = layout is not None and layout.exchange is not None and not swaps
        self._exchange = layout.exchange if layout and layout.exchange is not None and exchanges else nothing
        self._actions = layout.actions if layout and layout.actions is not None and exchanges else nothing
        self._seen = layout.view_size if layout else obs_size
        self._view = padded(self._seen)
        self._taps: list[NDArray[np.int64]] = []
        self._layers: list[tuple[int, ...]] = []
        self._weights: list[NDArray[Any]] = []
        self._biases: list[NDArray[Any]] = []
        self._stem: list[tuple[int, int, tuple[int, int]]] = []  # filters, places and region of each convolution
        self._columns = 0
        self._newest = self._region(self._view)

    def add_convolution(self, weight: NDArray[Any], bias: NDArray[Any], height: int, width: int) -> None:
        """A convolution over the planes of a board, without padding, with a ReLU: weight [F, planes, h, w], bias [F].

        Convolutions are the first layers, and all of them see the view.
        """
        filters, planes, tall, wide = weight.shape
        kernel = np.arange(planes)[:, None, None] * self._cells + np.arange(tall)[:, None] * width + np.arange(wide)
        corners = np.arange(height - tall + 1)[:, None] * width + np.arange(width - wide + 1)
        places, inputs = corners.size, padded(kernel.size)
        columns = corners.reshape(-1, 1) + kernel.reshape(1, -1)  # [places, the view's columns seen there]
        shown_as = np.arange(places)[:, None] * inputs + np.arange(kernel.size)  # [places, the inputs that show them]
        counts = np.bincount(columns.ravel(), minlength=self._view)
        order = np.argsort(columns.ravel(), kind="stable")  # by column, and within one by place
        taps = np.full((self._view, counts.max()), -1)
        taps[np.arange(counts.max()) < counts[:, None]] = shown_as.ravel()[order]
        self._taps.append(taps)
        patches = self._region(places * inputs)
        results = self._region(places * padded(filters))
        self._stem.append((filters, places, results))
        self._append(patches, results, weight.reshape(filters, -1).T, bias, places=places, rectified=True)

    def add_after_stem(self, weight: NDArray[Any], bias: NDArray[Any]) -> None:
        """A layer with a ReLU, whose inputs are each convolution's results, filter by filter, and then the rest of the view.

        weight [F, I], bias [F]. It becomes several layers with the same target: each reads the region of a convolution, and
        the last one the view.
        """
        self._newest = self._region(padded(len(weight)))
        for index, (filters, places, results) in enumerate(self._stem):
            by_filter, weight = np.split(weight, [filters * places], axis=1)
            by_place = np.zeros((places, results[1] // places, len(weight)), weight.dtype)
            by_place[:, :filters] = by_filter.reshape(-1, filters, places).transpose(2, 1, 0)
            matrix = by_place.reshape(-1, len(weight))
            self._append(results, self._newest, matrix, bias[:0] if index else bias, adds=index > 0)
        of_view = np.zeros((self._view, len(weight)), weight.dtype)
        of_view[self._board : self._seen] = weight.T
        self._append((0, self._view), self._newest, of_view, bias[:0], adds=True, rectified=True)

    def add_dense(
        self, weight: NDArray[Any], bias: NDArray[Any], *, rectified: bool = True, residual: bool = False
    ) -> None:
        """A layer whose inputs are the results of the layer before it: weight [F, I], bias [F].

        `residual`: it adds its inputs after the ReLU.
        """
        source, self._newest = self._newest, self._region(padded(len(weight)))
        self._append(source, self._newest, weight.T, bias, rectified=rectified, residual=residual)

    def build(self) -> SparseNetwork:
        """The network; the last layer that was added is its heads."""
        listed = self._layout if self._layout and self._layout.few_legal else None
        return SparseNetwork(
            layers=np.array(self._layers, LAYER),
            weights=aligned_concatenation(self._weights),
            biases=aligned_concatenation(self._biases),
            swapped=self._swapped,
            exchange=np.ascontiguousarray(self._exchange, np.int64),
            actions=np.ascontiguousarray(self._actions, np.int64),
            seen=self._seen,
            view_width=self._view,
            taps=self._stacked_taps(),
            columns=self._columns,
            legal=listed.legal_begin if listed else -1,
            moves=listed.num_actions if listed else 0,
            by_result=self._by_result() if listed else np.zeros(0, np.float32),
        )

    def _stacked_taps(self) -> NDArray[np.int64]:
        """[C, view, T] the taps of all convolutions, filled up with -1 to the same T."""
        most = max((taps.shape[1] for taps in self._taps), default=0)
        stacked = np.full((len(self._taps), self._view if most else 0, most), -1)
        for of_all, taps in zip(stacked, self._taps, strict=True):
            of_all[:, : taps.shape[1]] = taps
        return stacked

    def _by_result(self) -> NDArray[Any]:
        """The weights of the newest layer, from blocks [F / 64, I, 64] to blocks [I / 64, F, 64]."""
        _, _, _, inputs, results, *_ = self._layers[-1]
        return aligned_concatenation([transposed_blocks(self._weights[-1], inputs, results)])

    def _region(self, width: int) -> tuple[int, int]:
        """A new region: its column and its width."""
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
        """Append a layer from one region to another; matrix [I, F] and bias are padded with zeros to the regions' widths."""
        inputs, results = source[1] // places, target[1] // places
        filled, filled_bias = np.zeros((inputs, results), matrix.dtype), np.zeros(results, bias.dtype)
        filled[: matrix.shape[0], : matrix.shape[1]] = matrix
        filled_bias[: len(bias)] = bias
        begin = sum(map(len, self._weights)), sum(map(len, self._biases))
        passed = self._region(target[1])[0] if residual else target[0]
        squared = rectified and self._squared
        self._layers.append(
            (source[0], target[0], passed, inputs, results, places, *begin, adds, rectified, squared, residual)
        )
        self._weights.append(filled.reshape(inputs, -1, BLOCK).swapaxes(0, 1).ravel())
        self._biases.append(filled_bias)


def padded(width: int) -> int:
    """The next multiple of a block."""
    return -(-width // BLOCK) * BLOCK


def transposed_blocks(weights: NDArray[Any], inputs: int, results: int) -> NDArray[Any]:
    """The weights of a layer, from blocks [F / 64, I, 64] to blocks [I / 64, F, 64]."""
    blocks = weights.reshape(results // BLOCK, inputs // BLOCK, BLOCK, BLOCK)
    return blocks.transpose(1, 0, 3, 2).ravel()


def aligned_concatenation(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """The parts in one array that begins at a cache line."""
    return np.concatenate(parts, out=aligned(sum(map(len, parts)), parts[0].dtype.type))
