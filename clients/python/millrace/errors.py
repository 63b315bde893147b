"""What can go wrong, as types. `except millrace.MillraceError` catches all of it."""

from __future__ import annotations


class MillraceError(Exception):
    """Everything this package raises on its own account."""


class ProtocolError(MillraceError):
    """The other side sent what the protocol does not allow. The connection is of no further use."""


class ConnectionClosed(MillraceError, ConnectionError):
    """The server went away, or this connection was closed.

    `is_goodbye` is True where the server took its leave: it had answered everything that it took, so what was not answered had
    no effect. Otherwise a `compute` or `ingest` that was not answered may have been applied or not: it is raised to those that connected
    without a producer, or could not reach the server again.
    """

    def __init__(self, message: str, is_goodbye: bool = False):
        super().__init__(message)
        self.is_goodbye = is_goodbye


class DefinitionsError(MillraceError):
    """Definitions that were to be applied are wrong, and nothing has changed. The message says where, as `file:line:column`."""


class ServerError(MillraceError):
    """The server refused a request; the message is the server's own.

    `code` is one of the protocol's text codes, `detail` says more where there is more to say, `retry` is True where the
    same request may succeed later.
    """

    code = ""

    def __init__(self, code: str, message: str, detail: str = "", retry: bool = False):
        super().__init__(f"{message}\n{detail}" if detail else message)
        self.code, self.message, self.detail, self.retry = code, message, detail, retry


class UnknownTableError(ServerError):
    code = "unknown_table"


class UnknownViewError(ServerError):
    code = "unknown_view"


class BadSchemaError(ServerError):
    code = "bad_schema"


class BadBatchError(ServerError):
    code = "bad_batch"


class UnsupportedVersionError(ServerError):
    code = "unsupported_version"


class UnauthorizedError(ServerError):
    code = "unauthorized"


class TooLargeError(ServerError):
    code = "too_large"


class OverloadedError(ServerError):
    code = "overloaded"


class MemoryFullError(ServerError):
    code = "memory_full"


class DiskFullError(ServerError):
    """The disk of the server's data directory is full: nothing that changes its state is taken until there is room."""

    code = "disk_full"


class ShuttingDownError(ServerError):
    code = "shutting_down"


class ProducerFencedError(ServerError):
    """Another client sends as the same producer; this one cannot any more."""

    code = "producer_fenced"


class ProducerUnknownError(ServerError):
    """The server that came back does not know this producer: whether the batches without an answer were applied cannot be told."""

    code = "producer_unknown"


class ProducerFullError(ServerError):
    code = "producer_full"


_BY_CODE = {kind.code: kind for kind in ServerError.__subclasses__()}


def server_error(code: str, message: str, detail: str, retry: bool) -> ServerError:
    """The error as the type that its code names; a plain ServerError for `internal` and codes of later versions."""
    return _BY_CODE.get(code, ServerError)(code, message, detail, retry)
