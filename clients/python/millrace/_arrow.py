"""Between pyarrow and the wire: whatever holds columns in, encapsulated Arrow IPC messages out, and back."""

from __future__ import annotations

from typing import Any, Iterable

import pyarrow as pa
import pyarrow.compute as pc

ROW_COLUMN = "millrace_row"
STATUS_COLUMN = "millrace_status"


def as_table(data: Any) -> pa.Table:
    """`data` as a pyarrow Table: a Table or RecordBatch, a DataFrame of pandas or polars or anything else that exports an
    Arrow stream, a dictionary of columns, or a list of dictionaries."""
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if isinstance(data, dict):
        return pa.table(data)
    if isinstance(data, list) and all(isinstance(row, dict) for row in data):
        return pa.Table.from_pylist(data)
    if type(data).__module__.partition(".")[0] == "pandas":
        return pa.Table.from_pandas(data, preserve_index=False)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return pa.table(data)
    raise TypeError(
        f"{type(data).__name__} holds no columns that Arrow understands: "
        "pass a pyarrow Table or RecordBatch, a pandas or polars DataFrame, a dictionary of columns or a list of dictionaries"
    )


def batches(table: pa.Table, rows_max: int) -> Iterable[pa.RecordBatch]:
    """The table's rows in batches of at most `rows_max`; small neighbouring chunks are joined."""
    if table.num_rows and table.column(0).num_chunks > 1:
        table = table.combine_chunks()
    return table.to_batches(max_chunksize=rows_max)


def has_dictionaries(schema: pa.Schema) -> bool:
    return any(pa.types.is_dictionary(field.type) for field in schema)


def messages(batch: pa.RecordBatch) -> tuple[list[pa.Buffer], pa.Buffer]:
    """The dictionaries that the batch needs and the batch itself, each one encapsulated message."""
    if not has_dictionaries(batch.schema):
        return [], batch.serialize()
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, batch.schema) as writer:
        writer.write_batch(batch)
    dictionaries, record_batch = [], None
    for message in pa.ipc.MessageReader.open_stream(stream.getvalue()):
        if message.type == "dictionary":
            dictionaries.append(message.serialize())
        elif message.type == "record batch":
            record_batch = message.serialize()
    return dictionaries, record_batch


def read_schema(body: bytes) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(body))


def read_batch(body: bytes, schema: pa.Schema) -> pa.RecordBatch:
    return pa.ipc.read_record_batch(pa.py_buffer(body), schema)


def joined(answers: list[pa.RecordBatch]) -> pa.Table:
    """One table; where definitions have changed between batches, of all their columns, and types that hold those of all."""
    tables = [pa.Table.from_batches([batch]) for batch in answers]
    if all(table.schema == tables[0].schema for table in tables):
        return pa.Table.from_batches(answers, answers[0].schema)
    return pa.concat_tables(tables, promote_options="permissive")


def without_trailers(table: pa.Table | pa.RecordBatch):
    """Without the row numbers and statuses that travel at the end of every result."""
    return table.select([name for name in table.schema.names if name not in (ROW_COLUMN, STATUS_COLUMN)])


def with_row_offset(batch: pa.RecordBatch, offset: int) -> pa.RecordBatch:
    """The same answer with row numbers that count from the start of the caller's table instead of the batch."""
    index = batch.schema.get_field_index(ROW_COLUMN)
    if index < 0 or offset == 0:
        return batch
    rows = pc.add(batch.column(index), pa.scalar(offset, pa.uint32()))
    return batch.set_column(index, batch.schema.field(index), rows)
