"""Millrace's client: events in, feature vectors out, as Arrow tables.

import millrace

with millrace.connect("127.0.0.1:7400") as server:
    vectors = server.compute("payments", {"ts": [...], "card_id": [...], "amount": [...]}, view="card_risk")
"""

from ._server import Accepted, Applied, Server, Status, StatusEntry, connect
from ._subscription import Gap, GapWarning, Subscription
from .errors import (
    BadBatchError,
    BadSchemaError,
    ConnectionClosed,
    DefinitionsError,
    DiskFullError,
    MemoryFullError,
    MillraceError,
    OverloadedError,
    ProducerFencedError,
    ProducerFullError,
    ProducerUnknownError,
    ProtocolError,
    ServerError,
    ShuttingDownError,
    TooLargeError,
    UnauthorizedError,
    UnknownTableError,
    UnknownViewError,
    UnsupportedVersionError,
)

__version__ = "0.1.0"

OK, LATE, REFUSED = 0, 1, 2
"""Values of the column `millrace_status`."""

__all__ = [
    "Accepted",
    "Applied",
    "BadBatchError",
    "BadSchemaError",
    "ConnectionClosed",
    "DefinitionsError",
    "DiskFullError",
    "Gap",
    "GapWarning",
    "LATE",
    "MemoryFullError",
    "MillraceError",
    "OK",
    "OverloadedError",
    "ProducerFencedError",
    "ProducerFullError",
    "ProducerUnknownError",
    "ProtocolError",
    "REFUSED",
    "Server",
    "ServerError",
    "ShuttingDownError",
    "Status",
    "StatusEntry",
    "Subscription",
    "TooLargeError",
    "UnauthorizedError",
    "UnknownTableError",
    "UnknownViewError",
    "UnsupportedVersionError",
    "connect",
]
