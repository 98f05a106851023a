"""Rows of LANES float64 as one vector: what LLVM does not find by itself in loops this short.

Numba's loop vectorizer needs long loops, and its other one, for straight code, is off. Without these two operations a
pass takes three to five times as long. Arrays are C-contiguous, (m, LANES); indices are not checked.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import types

LANES = 8  # float64 in one AVX-512 register, two of AVX2, four of NEON
FOUR = 4

intrinsic: Any = extending.intrinsic  # for mypy: callers do not pass `typingctx`
VECTOR = ir.VectorType(ir.DoubleType(), LANES)


@intrinsic
def add_scaled(typingctx: Any, target: Any, i: Any, weight: Any, source: Any, j: Any) -> Any:
    """target[i] += weight * source[j]"""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        to = _row(context, builder, kinds[0], args[0], args[1])
        row = _load(builder, _row(context, builder, kinds[3], args[3], args[4]))
        product = builder.fmul(_spread(builder, args[2]), row)
        builder.store(builder.fadd(_load(builder, to), product), to, align=8)
        return context.get_dummy_value()

    return types.void(target, types.intp, types.float64, source, types.intp), codegen


@intrinsic
def add_four_scaled(typingctx: Any, target: Any, i: Any, weights: Any, source: Any, rows: Any, k: Any) -> Any:
    """target[i] += sum of weights[k + n] * source[rows[k + n]] for n in 0..3, added in pairs"""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        to = _row(context, builder, kinds[0], args[0], args[1])
        products = []
        for n in range(FOUR):
            at = builder.add(args[5], ir.Constant(args[5].type, n))
            weight = builder.load(builder.gep(_data(context, builder, kinds[2], args[2]), [at]))
            index = builder.load(builder.gep(_data(context, builder, kinds[4], args[4]), [at]))
            row = _row(context, builder, kinds[3], args[3], builder.zext(index, args[5].type))
            products.append(builder.fmul(_spread(builder, weight), _load(builder, row)))
        pairs = [builder.fadd(products[0], products[1]), builder.fadd(products[2], products[3])]
        total = builder.fadd(_load(builder, to), builder.fadd(*pairs))
        builder.store(total, to, align=8)
        return context.get_dummy_value()

    return types.void(target, types.intp, weights, source, rows, types.intp), codegen


@intrinsic
def add_product(typingctx: Any, target: Any, i: Any, one: Any, j: Any, other: Any, k: Any) -> Any:
    """target[i] += one[j] * other[k]"""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        to = _row(context, builder, kinds[0], args[0], args[1])
        factors = [_load(builder, _row(context, builder, kinds[n], args[n], args[n + 1])) for n in (2, 4)]
        builder.store(builder.fadd(_load(builder, to), builder.fmul(*factors)), to, align=8)
        return context.get_dummy_value()

    return types.void(target, types.intp, one, types.intp, other, types.intp), codegen


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    return context.make_array(kind)(context, builder, array).data


def _row(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    first = builder.mul(index, ir.Constant(index.type, LANES))
    return builder.bitcast(builder.gep(_data(context, builder, kind, array), [first]), VECTOR.as_pointer())


def _load(builder: Any, row: Any) -> Any:
    return builder.load(row, align=8, typ=VECTOR)


def _spread(builder: Any, value: Any) -> Any:
    """The value in all lanes."""
    anything = ir.Constant(VECTOR, ir.Undefined)
    one = builder.insert_element(anything, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, anything, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))
