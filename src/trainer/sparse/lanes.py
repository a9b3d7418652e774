"""Blocks of 64 float32 as values in compiled code.

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

from trainer.compile.processor import processor_has

INLINED = True

BLOCK = 64
"""Numbers per block. A block fits into the vector registers of any current processor. With AVX some stay free."""

PAIRS = processor_has("avx512f")
"""Whether two blocks at once are faster than one by one: there are registers for both."""

Block = Any
"""A block as a value."""


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


def add_active_to_two(
    blocks: tuple[Block, Block],
    factors: NDArray[np.float32],
    active: NDArray[np.uint64],
    begin: int,
    first: int,
    end: int,
    numbers: NDArray[np.float32],
    at: tuple[int, int],
) -> tuple[Block, Block]:
    """What `add_active` does, for two blocks at once, whose numbers begin at the two places of `at`.

    The bits are then read once for both. It takes twice the registers.
    """
    one, two = blocks
    for word in range(first, end):
        left = active[begin // BLOCK + word]
        while left != 0:
            i = word * BLOCK + lowest(left)
            left &= left - np.uint64(1)
            factor = factors[begin + i]
            one = add_products(one, factor, numbers, at[0] + i * BLOCK)
            two = add_products(two, factor, numbers, at[1] + i * BLOCK)
    return one, two


class Lanes(types.Type):
    """Numba's type of a block."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes: Any = Lanes()
VECTOR, FLAGS, INTEGER = ir.VectorType(ir.FloatType(), BLOCK), ir.VectorType(ir.IntType(1), BLOCK), ir.IntType(32)
ZEROS = ir.Constant(VECTOR, [0.0] * BLOCK)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """Represents the type as an LLVM vector."""

    def __init__(self, manager: Any, kind: Lanes) -> None:
        super().__init__(manager, kind, VECTOR)  # type: ignore[no-untyped-call]


def operation(function: Callable[..., Any]) -> Any:
    """An operation of compiled code: `function` returns its signature and a function that generates its code."""
    return intrinsic(function)


class Code:
    """Generates code. In a class, because the linker compiles plain functions."""

    @staticmethod
    def address(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
        """The address of the block that begins at element `at` of an array."""
        data = context.make_array(kind)(context, builder, array).data
        return builder.bitcast(builder.gep(data, [at]), VECTOR.as_pointer())

    @staticmethod
    def repeated(builder: Any, number: Any) -> Any:
        """A block of one number."""
        block = builder.insert_element(ZEROS, number, INTEGER(0))
        return builder.shuffle_vector(block, ZEROS, ir.Constant(ir.VectorType(INTEGER, BLOCK), [0] * BLOCK))

    @staticmethod
    def sum_of_product(builder: Any, total: Any, factors: Any, block: Any) -> Any:
        """total + factors * block, rounded once if the processor can."""
        return builder.fadd(total, builder.fmul(factors, block, flags=["contract"]), flags=["contract"])


@operation
def load_block(typing: Any, numbers: Any, at: Any) -> Any:
    """load_block(numbers, at): the block numbers[at : at + 64]."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(Code.address(context, builder, signature.args[0], *values), align=4)

    return lanes(numbers, types.intp), generate


@operation
def store_block(typing: Any, numbers: Any, at: Any, block: Any) -> Any:
    """store_block(numbers, at, block): numbers[at : at + 64] = block."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, at, block = values
        builder.store(block, Code.address(context, builder, signature.args[0], array, at), align=4)
        return context.get_dummy_value()

    return types.void(numbers, types.intp, block), generate


@operation
def add_scaled(typing: Any, total: Any, factor: Any, block: Any) -> Any:
    """add_scaled(total, factor, block): total + factor * block, rounded once if the processor can."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        total, factor, block = values
        return Code.sum_of_product(builder, total, Code.repeated(builder, factor), block)

    return lanes(total, types.float32, block), generate


@operation
def add_elements(typing: Any, total: Any, factors: Any, block: Any) -> Any:
    """add_elements(total, factors, block): total + factors * block, number by number, rounded once if the processor can."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return Code.sum_of_product(builder, *values)

    return lanes(total, factors, block), generate


@operation
def product(typing: Any, one: Any, other: Any) -> Any:
    """product(one, other): the product of two blocks, number by number."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fmul(*values)

    return lanes(one, other), generate


@operation
def root_of(typing: Any, block: Any) -> Any:
    """root_of(block): the square root of each number."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(VECTOR, [VECTOR])
        return builder.call(builder.module.declare_intrinsic(f"llvm.sqrt.v{BLOCK}f32", fnty=kind), values)

    return lanes(block), generate


@operation
def sum_of(typing: Any, block: Any) -> Any:
    """sum_of(block): the sum of its numbers; halves are added to halves, down to one number."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        (left,) = values
        half = BLOCK // 2
        while half:
            other = ir.Constant(ir.VectorType(INTEGER, BLOCK), [(lane + half) % BLOCK for lane in range(BLOCK)])
            left = builder.fadd(left, builder.shuffle_vector(left, ZEROS, other))
            half //= 2
        return builder.extract_element(left, INTEGER(0))

    return types.float32(block), generate


@operation
def rectified_block(typing: Any, block: Any) -> Any:
    """rectified_block(block): its ReLU; NaN stays NaN."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", values[0], ZEROS), ZEROS, values[0])

    return lanes(block), generate


@operation
def masked_block(typing: Any, block: Any, bits: Any) -> Any:
    """masked_block(block, bits): the block, with 0 wherever the bit isn't set; the first number has the lowest bit."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(builder.bitcast(values[1], FLAGS), values[0], ZEROS)

    return lanes(block, types.uint64), generate


@operation
def bits_of(typing: Any, block: Any) -> Any:
    """bits_of(block): one bit per number, the first number's the lowest: it is not 0. NaN counts as not 0."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.bitcast(builder.fcmp_unordered("!=", values[0], ZEROS), ir.IntType(BLOCK))

    return types.uint64(block), generate


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
