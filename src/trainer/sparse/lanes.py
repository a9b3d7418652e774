"""Vectors of 16 float32 as values in compiled code, and blocks of 64 numbers, which are four vectors.

Numba has no vector type. LLVM has one, and maps a vector to as many registers as the processor needs for it.

Compiled by `trainer.compile.linker`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model
from numpy.typing import NDArray

INLINED = True

LANES = 16
"""Numbers per vector."""
BLOCK = 64
"""Numbers per block. A block fits into the registers of any current processor and leaves some free."""

Block = tuple[Any, Any, Any, Any]


def load_block(numbers: NDArray[np.float32], at: int) -> Block:
    """The block numbers[at : at + 64]."""
    return load(numbers, at), load(numbers, at + LANES), load(numbers, at + 2 * LANES), load(numbers, at + 3 * LANES)


def store_block(numbers: NDArray[np.float32], at: int, block: Block) -> None:
    """numbers[at : at + 64] = block"""
    for part, vector in enumerate(block):
        store(numbers, at + part * LANES, vector)


def add_products(block: Block, factor: np.float32, numbers: NDArray[np.float32], at: int) -> Block:
    """block + factor * numbers[at : at + 64]"""
    return add_scaled(block, factor, load_block(numbers, at))


def add_active(
    block: Block,
    factors: NDArray[np.float32],
    active: NDArray[np.uint64],
    begin: int,
    first: int,
    end: int,
    numbers: NDArray[np.float32],
    at: int,
) -> Block:
    """block + the sum over active i of factors[begin + i] * numbers[at + 64 i : at + 64 i + 64].

    i runs over the words first to end - 1, of 64 numbers each, and is active if bit begin + i of `active` is set. `begin` is
    a multiple of 64.
    """
    for word in range(first, end):
        left = active[begin // BLOCK + word]
        while left != 0:
            i = word * BLOCK + lowest(left)
            left &= left - np.uint64(1)
            block = add_products(block, factors[begin + i], numbers, at + i * BLOCK)
    return block


def add_scaled(block: Block, factor: np.float32, other: Block) -> Block:
    """block + factor * other"""
    a, b, c, d = block
    e, f, g, h = other
    return add_product(a, factor, e), add_product(b, factor, f), add_product(c, factor, g), add_product(d, factor, h)


def add_elements(block: Block, factors: Block, other: Block) -> Block:
    """block + factors * other, number by number"""
    a, b, c, d = block
    e, f, g, h = factors
    i, j, k, m = other
    return add_each(a, e, i), add_each(b, f, j), add_each(c, g, k), add_each(d, h, m)


def sum_of(block: Block) -> np.float32:
    """The sum of a block's numbers, in a fixed order."""
    a, b, c, d = block
    one = np.float32(1.0)
    return np.float32(total_of(add_product(add_product(a, one, b), one, add_product(c, one, d))))


def rectified_block(block: Block) -> Block:
    """The block's ReLU; NaN stays NaN."""
    a, b, c, d = block
    return rectified(a), rectified(b), rectified(c), rectified(d)


def masked_block(block: Block, bits: np.uint64) -> Block:
    """The block, with 0 wherever the bit isn't set."""
    a, b, c, d = block
    e, f, g = bits >> np.uint64(LANES), bits >> np.uint64(2 * LANES), bits >> np.uint64(3 * LANES)
    return masked(a, bits), masked(b, e), masked(c, f), masked(d, g)


def bits_of(block: Block) -> np.uint64:
    """One bit per number of a block, the first number's the lowest: it is not 0. NaN counts as not 0."""
    bits = np.uint64(0)
    for part, vector in enumerate(block):
        bits |= nonzero(vector) << np.uint64(part * LANES)
    return bits


class Lanes(types.Type):
    """Numba's type of a vector of 16 float32."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes: Any = Lanes()
VECTOR = ir.VectorType(ir.FloatType(), LANES)
ZEROS = ir.Constant(VECTOR, [0.0] * LANES)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """Represents the type as an LLVM vector."""

    def __init__(self, manager: Any, kind: Lanes) -> None:
        super().__init__(manager, kind, VECTOR)  # type: ignore[no-untyped-call]


def operation(function: Callable[..., Any]) -> Any:
    """An operation of compiled code: `function` returns its signature and a function that generates its code."""
    return intrinsic(function)


class Address:
    """Computes addresses while code is generated. In a class, because the linker compiles plain functions."""

    @staticmethod
    def of(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
        """The address of the vector that begins at element `at` of an array."""
        data = context.make_array(kind)(context, builder, array).data
        return builder.bitcast(builder.gep(data, [at]), VECTOR.as_pointer())


@operation
def load(typing: Any, numbers: Any, at: Any) -> Any:
    """load(numbers, at): the vector numbers[at : at + 16]."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(Address.of(context, builder, signature.args[0], *values), align=4)

    return lanes(numbers, types.intp), generate


@operation
def store(typing: Any, numbers: Any, at: Any, vector: Any) -> Any:
    """store(numbers, at, vector): numbers[at : at + 16] = vector."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, at, vector = values
        builder.store(vector, Address.of(context, builder, signature.args[0], array, at), align=4)
        return context.get_dummy_value()

    return types.void(numbers, types.intp, vector), generate


@operation
def add_product(typing: Any, total: Any, factor: Any, vector: Any) -> Any:
    """add_product(total, factor, vector): total + factor * vector, rounded once if the processor can."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        total, factor, vector = values
        integer = ir.IntType(32)
        factors = builder.insert_element(ZEROS, factor, integer(0))
        factors = builder.shuffle_vector(factors, ZEROS, ir.Constant(ir.VectorType(integer, LANES), [0] * LANES))
        return builder.fadd(total, builder.fmul(factors, vector, flags=["contract"]), flags=["contract"])

    return lanes(total, types.float32, vector), generate


@operation
def add_each(typing: Any, total: Any, factors: Any, vector: Any) -> Any:
    """add_each(total, factors, vector): total + factors * vector, number by number, rounded once if the processor can."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        total, factors, vector = values
        return builder.fadd(total, builder.fmul(factors, vector, flags=["contract"]), flags=["contract"])

    return lanes(total, factors, vector), generate


@operation
def total_of(typing: Any, vector: Any) -> Any:
    """total_of(vector): the sum of its numbers; halves are added to halves, down to one number."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        (left,), integer = values, ir.IntType(32)
        half = LANES // 2
        while half:
            other = ir.Constant(ir.VectorType(integer, LANES), [(lane + half) % LANES for lane in range(LANES)])
            left = builder.fadd(left, builder.shuffle_vector(left, ZEROS, other))
            half //= 2
        return builder.extract_element(left, integer(0))

    return types.float32(vector), generate


@operation
def rectified(typing: Any, vector: Any) -> Any:
    """rectified(vector): its ReLU; NaN stays NaN."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", values[0], ZEROS), ZEROS, values[0])

    return lanes(vector), generate


@operation
def masked(typing: Any, vector: Any, bits: Any) -> Any:
    """masked(vector, bits): the vector, with 0 wherever the bit isn't set; the first number has the lowest of 16 bits."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        flags = builder.trunc(values[1], ir.IntType(LANES))
        return builder.select(builder.bitcast(flags, ir.VectorType(ir.IntType(1), LANES)), values[0], ZEROS)

    return lanes(vector, types.uint64), generate


@operation
def nonzero(typing: Any, vector: Any) -> Any:
    """nonzero(vector): one bit per number, the first number's the lowest: it is not 0. NaN counts as not 0."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        flags = builder.fcmp_unordered("!=", values[0], ZEROS)
        return builder.zext(builder.bitcast(flags, ir.IntType(LANES)), ir.IntType(64))

    return types.uint64(vector), generate


@operation
def count(typing: Any, bits: Any) -> Any:
    """count(bits): how many bits are set."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.ctpop(values[0])

    return types.int64(types.uint64), generate


@operation
def lowest(typing: Any, bits: Any) -> Any:
    """lowest(bits): the index of the lowest set bit. At least one bit must be set."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.IntType(1)(1))

    return types.int64(types.uint64), generate
