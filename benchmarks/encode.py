"""The benchmark's events as frames of Millrace's protocol, ready to be sent by load.c."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from millrace import _frames, _messages
from millrace._flatbuffers import encode
from millrace._frames import Kind

CHANNEL = 1
# Columns of `events` in light.sql and full.sql, and those of generate.py's rows that hold them.
COLUMNS = {
    "ts": ("ts", "<i8"),
    "card_id": ("card", "<i8"),
    "merchant_id": ("merchant", "<i8"),
    "amount": ("amount", "<f8"),
    "status": ("status", "<i2"),
    "device_id": ("device", "<i8"),
    "country": ("country", "<i2"),
    "channel": ("channel", "<i2"),
}


def write_frames(rows: np.ndarray, path: Path, batch_rows: int) -> None:
    """Greeting, opening of the table `events`, its schema, then every `batch_rows` rows as one compute frame."""
    table = pa.table({name: np.ascontiguousarray(rows[source].astype(kind)) for name, (source, kind) in COLUMNS.items()})
    greeting = {"version_min": _frames.VERSION, "version_max": _frames.VERSION, "client_name": "benchmark"}
    with open(path, "wb") as out:

        def write(kind: Kind, body, **fields) -> None:
            out.writelines(_frames.encode(kind, body, **fields))

        write(Kind.HELLO, encode(_messages.HELLO, greeting), request_id=1)
        write(Kind.OPEN, encode(_messages.OPEN, {"table": "events"}), channel=CHANNEL, request_id=2)
        write(Kind.SCHEMA, table.schema.serialize(), channel=CHANNEL)
        for number, batch in enumerate(table.to_batches(max_chunksize=batch_rows), 3):
            write(Kind.COMPUTE, batch.serialize(), channel=CHANNEL, request_id=number)
