"""Both rows of many pairs at once, taken from one table in memory.

Belongs here: text of a whole table as numbers of one dictionary, rows by key. Does not: what pairs mean (kernels).
Surprise: one dictionary for all text columns, so that a value of one column is found in another (a mobile number in
the phone column, swapped names) by comparing integers.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Sides:
    """The rows of `table`, found by their integer `key`."""

    def __init__(self, table: pa.Table, key: str) -> None:
        order = pc.sort_indices(table[key])
        self._keys = table[key].take(order).to_numpy()
        self._rows = _on_one_dictionary(table.take(order))

    def of(self, pairs: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """The left and the right row of each pair."""
        return self._take(pairs.column("l")), self._take(pairs.column("r"))

    def _take(self, keys: pa.Array) -> pa.RecordBatch:
        return self._rows.take(pa.array(np.searchsorted(self._keys, keys.to_numpy())))


def _on_one_dictionary(table: pa.Table) -> pa.RecordBatch:
    """The same rows, text columns as int32 codes into one dictionary that they share."""
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    texts = [name for name, column in columns.items() if pa.types.is_string(column.type)]
    encoded = pa.concat_arrays([columns[name] for name in texts]).dictionary_encode()
    for place, name in enumerate(texts):
        columns[name] = encoded.slice(place * table.num_rows, table.num_rows)
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
