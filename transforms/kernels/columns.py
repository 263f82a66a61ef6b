"""Functions of one value, applied to whole columns: each distinct value once, the plain ones in Arrow.

Belongs here: how a column is taken apart and put together again. Does not: what any value means (names.py and others).
Surprise: `plain` is the short way of a function: the same answers from Arrow's own kernels, twenty times faster, and
null where it is not sure. Null means "ask the function", never "nothing", so a short way may be as timid as it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# What a function gives: text, or the fields of a NamedTuple.
Kind: TypeAlias = "pa.DataType | type[tuple[Any, ...]]"

TEXT = pa.string()

_FIELD_TYPES = {str | None: pa.string(), int | None: pa.int64(), bool: pa.bool_()}


def on_distinct(
    function: Callable[..., Any],
    *columns: pa.Array,
    kind: Kind = TEXT,
    plain: Callable[..., pa.Array] | None = None,
) -> pa.Array:
    """`function` of every row, worked out once for each distinct row; null is a value like any other."""
    codes, example_rows = _distinct(columns)
    return on_each(function, *(column.take(example_rows) for column in columns), kind=kind, plain=plain).take(codes)


def on_each(
    function: Callable[..., Any],
    *columns: pa.Array,
    kind: Kind = TEXT,
    plain: Callable[..., pa.Array] | None = None,
) -> pa.Array:
    """`function` of every row: by the short way where that is sure, else by a call."""
    arrow_type = kind if isinstance(kind, pa.DataType) else struct_of(kind)
    if plain is None:
        return _array(
            [function(*row) for row in zip(*(column.to_pylist() for column in columns), strict=True)], arrow_type
        )
    sure = plain(*columns)
    is_odd = sure.is_null()
    odd = on_each(function, *(column.filter(is_odd) for column in columns), kind=arrow_type)
    places = np.arange(len(sure))
    places[is_odd.to_numpy(zero_copy_only=False)] = len(sure) + np.arange(len(odd))
    return pa.concat_arrays([sure, odd]).take(pa.array(places))


def where_sure(is_sure: pa.Array, kind: type[tuple[Any, ...]], *fields: pa.Array) -> pa.Array:
    """What a short way answers: the fields where it is sure, null elsewhere. A null in `is_sure` is not sure."""
    is_unsure = pc.invert(pc.fill_null(is_sure, False))
    return pa.StructArray.from_arrays(list(fields), fields=list(struct_of(kind)), mask=is_unsure)


def struct_of(kind: type[tuple[Any, ...]]) -> pa.StructType:
    """A NamedTuple as an Arrow type."""
    return pa.struct([pa.field(name, _FIELD_TYPES[hint]) for name, hint in get_type_hints(kind).items()])


def _array(results: list[Any], arrow_type: pa.DataType) -> pa.Array:
    if not pa.types.is_struct(arrow_type) or not results:
        return pa.array(results, arrow_type)
    fields = [
        pa.array(values, field.type) for values, field in zip(zip(*results, strict=True), arrow_type, strict=True)
    ]
    return pa.StructArray.from_arrays(fields, fields=list(arrow_type))


def _distinct(columns: tuple[pa.Array, ...]) -> tuple[pa.Array, pa.Array]:
    """For each row the number of its distinct row, and for each of those a row that is an example of it."""
    codes, count = _encoded(columns[0])
    for column in columns[1:]:
        others, other_count = _encoded(column)
        codes, count = _encoded(pa.array(codes * other_count + others))
    example_rows = np.zeros(count, np.int64)
    example_rows[codes] = np.arange(len(codes))
    return pa.array(codes), pa.array(example_rows)


def _encoded(column: pa.Array) -> tuple[np.ndarray, int]:
    encoded = column.dictionary_encode(null_encoding="encode")
    return encoded.indices.to_numpy().astype(np.int64), len(encoded.dictionary)
