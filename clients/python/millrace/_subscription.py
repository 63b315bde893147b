"""A view followed over a connection of its own, which comes back by itself."""

from __future__ import annotations

import time
import warnings
from typing import Any, Callable, NamedTuple

import pyarrow as pa

from . import _arrow, _messages
from ._connection import Connection
from ._flatbuffers import decode, encode
from ._frames import Header, Kind
from .errors import ConnectionClosed, ProtocolError, ServerError


class Gap(NamedTuple):
    """Rows that a subscription was not sent: of the places behind `start` up to `end`, so many."""

    cause: str  # "conflated": newer rows of their keys were sent; "dropped"; "gone": no longer kept, `rows` is not known
    rows: int
    start: tuple[int, int]  # a place: a batch's sequence, and how many of its rows are before it (0: all)
    end: tuple[int, int]


class GapWarning(UserWarning):
    """The server no longer keeps rows that a subscription lacks."""


def on_full_number(name: str) -> int:
    if name not in _messages.ON_FULL:
        raise ValueError(f"on_full={name!r}: one of {', '.join(_messages.ON_FULL)} is meant")
    return _messages.ON_FULL.index(name)


def key_messages(keys: Any) -> dict:
    """Fields of the request that choose rows by key."""
    table = _arrow.as_table(keys).combine_chunks()
    table = table.cast(pa.schema([(field.name, _plain(field.type)) for field in table.schema]))
    batches = table.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
    return {
        "key_schema": table.schema.serialize().to_pybytes(),
        "keys": batches[0].serialize().to_pybytes(),
    }


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


class Subscription:
    """An iterator of pyarrow RecordBatches, and a context manager.

    - `schema`: of the batches. It changes where the server's definitions do, before the first batch of the new ones; where the view
      is gone an UnknownViewError is raised.
    - `definitions`: the version that the last batch was computed by.
    - `sequence`, `place`: of the last batch handed out in the server's total order; `subscribe(…, since=place)` goes on behind it.
    - `eventless`: the last batch says what windows show since events have left them; columns of the event are NULL but for its time, the moment that is shown.
    - `on_full`, `key_columns`: what the server does when this subscriber is too slow, and by what it tells keys apart.
    - `conflated`, `dropped`: rows that were left out so far."""

    def __init__(
        self,
        address: str,
        options: dict,
        wish: dict,
        place: tuple[int, int] | None,
        timeout: float | None,
        reconnect: float,
        on_gap: Callable[[Gap], None] | None,
    ):
        self._address, self._options, self._wish = address, options, wish
        self._timeout, self._reconnect, self._on_gap = timeout, reconnect, on_gap
        self._is_closed = False
        # Which life of the server the place is of; None: not known.
        self._epoch: int | None = None
        # The place of another life, until it has been told that what followed it there is gone.
        self._lost: tuple[int, int] | None = None
        self.conflated = self.dropped = 0
        self.eventless = False
        granted = self._connect(place)
        self.place: tuple[int, int] = place or (granted["sequence"], 0)

    @property
    def sequence(self) -> int:
        return self.place[0]

    def _connect(self, place: tuple[int, int] | None) -> dict:
        connection = Connection(self._address, **self._options)
        epoch = connection.welcome["epoch"]
        if place is not None and self._epoch not in (None, epoch):
            # The server has begun again, perhaps before this place: whatever it keeps now is new here.
            self._lost, place = self._lost or self.place, (0, 0)
        wish = dict(self._wish)
        if place is not None:
            wish |= {"from_sequence": place[0], "from_row": place[1], "resume": True}
        try:
            header, body = connection.request(Kind.SUBSCRIBE, encode(_messages.SUBSCRIBE, wish))
            if header.kind != Kind.SUBSCRIBED:
                raise ProtocolError(f"the server answered a subscribe with a frame of kind {header.kind}")
            granted = decode(_messages.SUBSCRIBED, body)
            _, body = connection.receive()
            self._wire_schema = _arrow.read_schema(body)
        except BaseException:
            connection.close()
            raise
        self._epoch = epoch
        if self._lost is not None:
            self.place = (0, 0)
        connection.timeout = self._timeout
        connection.channels_changed = self._schema_changed
        self._connection = connection
        self.definitions = connection.definitions
        self.schema = _arrow.without_trailers(self._wire_schema.empty_table()).schema
        self.on_full = _messages.ON_FULL[granted["on_full"]]
        self.key_columns = granted["key_columns"]
        return granted

    def _schema_changed(self, header: Header, body: bytes) -> None:
        if header.kind == Kind.SCHEMA:
            self._wire_schema = _arrow.read_schema(body)
            self.schema = _arrow.without_trailers(self._wire_schema.empty_table()).schema

    def __iter__(self) -> "Subscription":
        return self

    def __next__(self) -> pa.RecordBatch:
        while True:
            try:
                header, body = self._connection.receive()
            except ConnectionClosed:
                self._come_back()
                continue
            except ServerError as error:
                if not error.retry or self._is_closed:
                    self.close()
                    raise
                self._come_back()
                continue
            gap = decode(_messages.GAP, body) if header.kind == Kind.GAP else None
            if self._lost is not None and not (gap and _messages.GAP_CAUSES[gap["cause"]] == "gone"):
                self._tell({"cause": _messages.GAP_CAUSES.index("gone"), "rows": 0, "to_sequence": 0, "to_row": 0})
            if gap:
                self._tell(gap)
            elif header.kind == Kind.PUSH:
                batch = _arrow.read_batch(body, self._wire_schema)
                self.eventless = header.is_eventless
                self.definitions = header.definitions
                if not self.eventless:
                    self.place = (header.sequence, batch.column(_arrow.ROW_COLUMN)[-1].as_py() + 1)
                return _arrow.without_trailers(batch)

    def _tell(self, message: dict) -> None:
        if self._lost is not None:
            start, self._lost = self._lost, None
        else:
            start = (message["from_sequence"], message["from_row"])
        end = (message["to_sequence"], message["to_row"])
        gap = Gap(_messages.GAP_CAUSES[message["cause"]], message["rows"], start, end)
        self.place = end
        self.conflated += gap.rows if gap.cause == "conflated" else 0
        self.dropped += gap.rows if gap.cause == "dropped" else 0
        # A gap of no rows only says how far the subscription has come.
        if gap.rows == 0 and gap.cause != "gone":
            return
        if self._on_gap:
            self._on_gap(gap)
        elif gap.cause == "gone":
            warnings.warn(f"rows behind {start} up to {end} are no longer kept by the server", GapWarning, stacklevel=3)

    def _come_back(self) -> None:
        """Connects again and goes on behind the last row handed out."""
        self._connection.close()
        deadline = time.monotonic() + self._reconnect
        wait = 0.02
        while True:
            if self._is_closed:
                raise ConnectionClosed("the subscription is closed")
            try:
                self._connect(self.place)
                return
            except (ConnectionClosed, OSError):
                if time.monotonic() + wait >= deadline:
                    raise
            time.sleep(wait)
            wait = min(2 * wait, 2.0)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self._is_closed = True
        self._connection.close()
