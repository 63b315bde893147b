"""What a user of the package sees: a server, and calls on it."""

from __future__ import annotations

import datetime
import os
import time
from typing import Any, Callable, Iterable, Iterator, NamedTuple, Sequence

import pyarrow as pa

from . import _arrow, _definitions, _frames, _messages
from ._connection import Connection, connect_with_retries
from ._flatbuffers import decode, encode
from ._frames import Header, Kind
from ._producer import Producer
from ._subscription import Gap, Subscription, key_messages, on_full_number
from .errors import ConnectionClosed, DefinitionsError, MillraceError, ProducerFencedError, ProtocolError, ServerError


class Accepted(NamedTuple):
    """What became of the rows of an `ingest`."""

    rows: int
    late: int
    refused: int


class StatusEntry(NamedTuple):
    """One measurement of the server."""

    name: str
    label: str  # the table, view or shard that it is about; empty for the server as a whole
    unit: str
    value: float


class Status(NamedTuple):
    server_version: str
    entries: list[StatusEntry]


class Applied(NamedTuple):
    """What became of new definitions."""

    is_applied: bool  # if not, they compute what those in force do, or it was a dry run
    definitions: int  # the version in force, counted from 1 since the server started
    report: str  # what is kept, added, dropped and started afresh, column by column
    memory_bytes_before: int  # of a dry run: the state's now
    memory_bytes_after: int  # of a dry run: as expected when the new definitions have filled theirs


class _Channel:
    """A table, or a view's keys, opened on this connection for batches of one schema."""

    def __init__(self, number: int, target: pa.Schema, views: dict[int, tuple[str, pa.Schema]]):
        self.number = number
        self.target = target
        self.views = views  # by the channel that results come on

    def changed(self, header: Header, body: bytes) -> None:
        """Definitions have changed: takes what is said of this channel."""
        if header.kind == Kind.OPENED and header.channel == self.number:
            schemas = {number: schema for number, (_, schema) in self.views.items()}
            opened = decode(_messages.OPENED, body)["views"]
            self.views = {view["channel"]: (view["name"], schemas.get(view["channel"])) for view in opened}
        elif header.kind == Kind.SCHEMA and header.channel == self.number:
            self.target = _arrow.read_schema(body)
        elif header.kind == Kind.SCHEMA and header.channel in self.views:
            self.views[header.channel] = (self.views[header.channel][0], _arrow.read_schema(body))


class Server:
    """A connection to one server. Made by `millrace.connect`; a context manager. Not for several threads at once.

    A connection that the server ended, or that was lost, is made again by the next call. A call that it ends in the middle goes on
    over the next one. Batches of `compute` and `ingest` are numbered: the server applies each once, and answers again what it had
    applied when the connection was lost. Where it does not know this client any more (it was started again without its data) a
    `ProducerUnknownError` is raised, if a batch may have been applied."""

    def __init__(self, connection: Connection, options: dict, reconnect: float, producer: Producer | None):
        self._connection = connection
        self._producer = producer
        self._fence: ProducerFencedError | None = None
        self._options = options
        self._reconnect_seconds = reconnect
        self._is_closed = False
        self._channels: dict[tuple, _Channel] = {}
        self._last_channel = 0
        self._subscriptions: list[Subscription] = []
        connection.channels_changed = self._channels_changed

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection and every subscription made from it."""
        self._is_closed = True
        for subscription in self._subscriptions:
            subscription.close()
        self._connection.say_goodbye(self._producer.confirmed if self._producer else 0)

    @property
    def version(self) -> str:
        """The server's own version."""
        return self._connection.welcome["server_version"]

    @property
    def definitions(self) -> int:
        """Version of the definitions that the last answer was computed by, counted from 1 since the server started."""
        return self._connection.definitions

    # MARK: Events

    def compute(self, table: str, data: Any, *, view: str | None = None, with_status: bool = False) -> pa.Table:
        """Ingests `data` into `table` and answers each row with the vector that holds from then on: one step, no race.

        `data` is whatever holds columns: a pyarrow Table or RecordBatch, a pandas or polars DataFrame, a dictionary of columns
        or a list of dictionaries; columns are matched by name. The answer is in the order of the rows; rows that the view's
        outermost WHERE rejects are absent. A late or refused row has NULL features: `with_status=True` appends the columns
        `millrace_row` (place in `data`) and `millrace_status` (`millrace.OK`, `LATE` or `REFUSED`).

        Without `view`, the table's only view that no other view reads is meant; several are an error that names them.

        A large `data` is sent as several batches. Where definitions change between them, the answer has the columns of all of
        them, NULL where a row's definitions had no such column.
        """
        return self._ask(Kind.COMPUTE, table, data, view, with_status)

    def evaluate(self, table: str, data: Any, *, view: str | None = None, with_status: bool = False) -> pa.Table:
        """What `compute` would have answered; the server keeps nothing of it."""
        return self._ask(Kind.EVALUATE, table, data, view, with_status)

    def compute_all(
        self, table: str, data: Any, *, views: Sequence[str] = (), with_status: bool = False
    ) -> dict[str, pa.Table]:
        """`compute` for several views at one place of the sequence; without `views`, all that no other view reads."""
        return self._answers(Kind.COMPUTE, table, data, tuple(views), with_status)

    def ingest(self, table: str, data: Any) -> Accepted:
        """Ingests `data` and answers nothing but how many rows were taken, came late or were refused."""
        accepted: list[dict] = []

        def answered(channel: _Channel, first_row: int, frames: list) -> None:
            for header, body in frames:
                if header.kind != Kind.ACCEPTED:
                    raise ProtocolError(f"the server answered an ingest with a frame of kind {header.kind}")
                accepted.append(decode(_messages.ACCEPTED, body))

        rows = _arrow.as_table(data)
        self._send_batches(Kind.INGEST, (table, (), rows.schema), rows, answered)
        return Accepted(*(sum(counts[name] for counts in accepted) for name in Accepted._fields))

    def _ask(self, kind: Kind, table: str, data: Any, view: str | None, with_status: bool) -> pa.Table:
        answers = self._answers(kind, table, data, (view,) if view else (), with_status)
        if len(answers) != 1:
            names = ", ".join(sorted(answers)) or "none"
            raise MillraceError(f"views of {table}: {names}; say which one is meant, as in compute(…, view=\"card_risk\")")
        return next(iter(answers.values()))

    def _answers(self, kind: Kind, table: str, data: Any, views: tuple, with_status: bool) -> dict[str, pa.Table]:
        rows = _arrow.as_table(data)
        return self._collect(kind, (table, views, rows.schema), rows, with_status)

    def _collect(self, kind: Kind, opening: tuple, rows: pa.Table, with_status: bool) -> dict[str, pa.Table]:
        answers: dict[str, list] = {}

        def answered(channel: _Channel, first_row: int, frames: list) -> None:
            for header, body in frames:
                if header.kind != Kind.RESULT or header.channel not in channel.views:
                    raise ProtocolError(f"the server answered with a frame of kind {header.kind} on channel {header.channel}")
                name, schema = channel.views[header.channel]
                batch = _arrow.read_batch(body, schema)
                answers.setdefault(name, []).append(_arrow.with_row_offset(batch, first_row))

        channel = self._send_batches(kind, opening, rows, answered)
        tables = {name: _arrow.joined(batches) for name, batches in answers.items()}
        for name, schema in channel.views.values():
            tables.setdefault(name, schema.empty_table())
        return tables if with_status else {name: _arrow.without_trailers(table) for name, table in tables.items()}

    def _send_batches(self, kind: Kind, opening: tuple, rows: pa.Table, answered) -> _Channel:
        """Sends `rows` batch by batch on the channel for `opening`, and hands over each whole answer: `answered(channel, number of the
        batch's first row, frames)`. Goes on over the next connection where this one ends and that is safe."""
        producer = self._producer if kind in (Kind.COMPUTE, Kind.INGEST) else None
        if producer is None:
            return self._send_all(kind, opening, rows, answered, None)
        producer.begin()
        try:
            channel = self._send_all(kind, opening, rows, answered, producer)
        finally:
            producer.end()
        return channel

    def _send_all(self, kind: Kind, opening: tuple, rows: pa.Table, answered, producer: Producer | None) -> _Channel:
        left: list[tuple[int, pa.RecordBatch]] | None = None
        deadline, count = self._deadline(), None
        while True:
            try:
                channel = self._open(*opening)
                if left is None:
                    left = _numbered(_arrow.batches(rows, self._connection.welcome["batch_rows_max"] or 65_536))
            except ConnectionClosed as closed:
                self._wait_after(closed, deadline)
                continue
            if producer:
                if self._fence is not None:
                    raise self._fence
                producer.check()
            if count != len(left):
                deadline, count = self._deadline(), len(left)
            try:
                self._send_left(kind, channel, left, answered, producer)
                return channel
            except ConnectionClosed as closed:
                if closed.is_goodbye and producer:
                    producer.said_goodbye()
                if kind in (Kind.COMPUTE, Kind.INGEST) and producer is None and not closed.is_goodbye:
                    raise
                if count != len(left):
                    deadline = self._deadline()
                self._wait_after(closed, deadline)
            except ServerError as error:
                # What was sent behind the batch that was refused was refused as well: all of it can be sent again in order.
                if producer and error.retry and self._connection.is_alive() and time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                self._forget(channel)
                raise

    def _send_left(self, kind: Kind, channel: _Channel, left: list, answered, producer: Producer | None) -> None:
        """Sends the batches of `left`, each with the number of its first row, and takes away those that are answered."""
        under_way: dict[int, tuple[tuple, list]] = {}
        first_number = producer.confirmed + 1 if producer else 0

        def requests() -> Iterator[tuple[int, list]]:
            for place, numbered in enumerate(list(left)):
                request_id = self._connection.next_request_id()
                under_way[request_id] = (numbered, [])
                dictionaries, message = _arrow.messages(numbered[1])
                frames = [
                    part
                    for dictionary in dictionaries
                    for part in self._connection.silent_frame(Kind.DICTIONARY, dictionary, channel=channel.number)
                ]
                numbers = {}
                if producer:
                    numbers = {"batch_number": first_number + place, "received_up_to": producer.confirmed}
                    producer.sends(first_number + place)
                yield request_id, frames + _frames.encode(
                    kind, message, channel=channel.number, request_id=request_id, **numbers
                )

        def arrived(header: Header, body: bytes) -> None:
            numbered, frames = under_way[header.request_id]
            frames.append((header, body))
            if header.is_last or header.kind == Kind.ACCEPTED:
                del under_way[header.request_id]
                del left[0]  # Answers come in the order of the requests.
                if producer:
                    producer.answered()
                answered(channel, numbered[0], frames)

        def failed(header: Header) -> None:
            if header.is_last:
                del under_way[header.request_id]
                del left[0]
                if producer:
                    producer.answered()

        try:
            self._connection.pipeline(requests(), arrived, failed)
        except ServerError:
            raise
        except BaseException:
            self._connection.close()  # Answers that come later would be taken for others'.
            raise

    # MARK: Reading

    def get(self, view: str, keys: Any, *, at: int | datetime.datetime | None = None) -> pa.Table:
        """The windowed columns of `view` as they stand for `keys`, without an event: one row a key, in the order given.

        `keys` holds the columns that the view's windows are partitioned by, as in `{"card_id": [42, 43]}`. Columns of the
        event itself, and windows whose keys are not all given, are NULL. `at` is the moment that frames end at: a datetime,
        or an integer in the unit of the table's event time (microseconds since 1970 for timestamps). Without it, it is now
        by the server's clock, or the table's newest event where its time is an integer.
        """
        rows = _arrow.as_table(keys)
        if at is not None:
            moment = at if isinstance(at, int) else _microseconds(at)
            rows = rows.append_column("millrace_at", pa.array([moment] * rows.num_rows, pa.int64()))
        return next(iter(self._collect(Kind.GET, (view, None, rows.schema), rows, False).values()))

    def subscribe(
        self,
        view: str,
        where: str = "",
        *,
        keys: Any = None,
        since: int | tuple[int, int] | None = None,
        on_full: str = "conflate",
        buffer_bytes: int = 0,
        notify: float | None = None,
        on_gap: Callable[[Gap], None] | None = None,
        timeout: float | None = None,
        reconnect: float = 30.0,
    ) -> Subscription:
        """Every row of `view` from now on, whoever sent the event: an iterator of pyarrow RecordBatches.

        - `where`: only rows for which this SQL expression over the view's columns is true, as in `"payments_10m > 20"`.
        - `keys`: only rows of these keys, as in `{"card_id": [42, 43]}`; whatever holds columns named as the view's.
        - `since`: begin behind this place, a `sequence` or the pair `Subscription.place`, as far as the server keeps it.
        - `on_full`: when more than `buffer_bytes` wait for this subscriber: `"conflate"` (the newest row of each key is sent),
          `"drop"` (the oldest rows are dropped) or `"disconnect"`. 0 leaves the size of the buffer to the server.
        - `notify`: in seconds; also be told what the windows of keys show when events have left them, at most so late.
        - `on_gap`: called with a `Gap` for rows that are not sent, in its place among the batches. Without it, rows that the
          server no longer keeps are a `GapWarning`; others are counted in `Subscription.conflated` and `dropped`.
        - `timeout`: bounds the wait for the next batch, in seconds, and ends in a TimeoutError; without it the wait is as long
          as it takes.
        - `reconnect`: how long a lost connection is tried again, in seconds. It goes on behind the last row that was handed out.

        Uses a connection of its own, so that this one stays free for calls inside the loop."""
        wish = {"view": view, "where": where, "on_full": on_full_number(on_full), "buffer_bytes": buffer_bytes}
        if keys is not None:
            wish |= key_messages(keys)
        if notify is not None:
            wish["notify_milliseconds"] = max(1, round(notify * 1000))
        place = None if since is None else (since, 0) if isinstance(since, int) else tuple(since)
        subscription = Subscription(self._connection.address, self._options, wish, place, timeout, reconnect, on_gap)
        self._subscriptions.append(subscription)
        return subscription

    def status(self) -> Status:
        """What the server says of itself; docs/operations.md explains the entries."""
        deadline = self._deadline()
        while True:
            try:
                header, body = self._live().request(Kind.STATUS)
                break
            except ConnectionClosed as closed:
                self._wait_after(closed, deadline)
        if header.kind != Kind.STATUS_REPLY:
            raise ProtocolError(f"the server answered a status request with a frame of kind {header.kind}")
        reply = decode(_messages.STATUS_REPLY, body)
        return Status(reply["server_version"], [StatusEntry(**entry) for entry in reply["entries"]])

    # MARK: Definitions

    def apply(self, definitions: str | os.PathLike, *, dry_run: bool = False) -> Applied:
        """Puts other definitions in force, as a whole or not at all, at one place of the server's sequence. Columns that compute
        the same as before keep their state.

        `definitions` is SQL text, or the path of a `.sql` file or of a directory of them. With `dry_run` the server says what
        would happen, and changes nothing. Wrong definitions raise a DefinitionsError that says where they are wrong.
        """
        sources = [{"name": name, "text": text} for name, text in _definitions.sources(definitions)]
        header, body = self._live().request(
            Kind.APPLY, encode(_messages.APPLY, {"sources": sources, "dry_run": dry_run})
        )
        if header.kind != Kind.APPLIED:
            raise ProtocolError(f"the server answered an apply with a frame of kind {header.kind}")
        applied = decode(_messages.APPLIED, body)
        if applied.pop("has_errors"):
            raise DefinitionsError(applied["report"])
        return Applied(**applied)

    # MARK: Connections

    def _live(self) -> Connection:
        """The connection, made again where it has ended."""
        if not self._is_closed and not self._connection.is_alive():
            self._check_fence()
            self._connection = connect_with_retries(
                self._connection.address,
                wait=self._reconnect_seconds,
                producer=self._producer if self._fence is None else None,
                **self._options,
            )
            self._connection.channels_changed = self._channels_changed
            self._channels = {}
        return self._connection

    def _check_fence(self) -> None:
        """A client that another one has taken the producer from does not take it back."""
        if isinstance(self._connection.ended_by, ProducerFencedError):
            self._fence = self._connection.ended_by

    def _deadline(self) -> float:
        return time.monotonic() + self._reconnect_seconds

    def _wait_after(self, closed: ConnectionClosed, deadline: float) -> None:
        """Before a call is tried again; raises `closed` where that has been done for long enough."""
        if self._is_closed or time.monotonic() >= deadline:
            raise closed
        time.sleep(0.02)

    # MARK: Channels

    def _channels_changed(self, header: Header, body: bytes) -> None:
        for channel in self._channels.values():
            channel.changed(header, body)

    def _forget(self, channel: _Channel) -> None:
        """It may have no schema, or lack a dictionary: whoever asks again opens another."""
        self._channels = {key: other for key, other in self._channels.items() if other is not channel}
        if self._connection.is_alive():
            self._connection.send(_frames.encode(Kind.CLOSE, b"", channel=channel.number))

    def _open(self, name: str, views: tuple | None, schema: pa.Schema) -> _Channel:
        """The channel for batches of `schema`: of the table `name`, or of the keys of the view `name` where `views` is None.

        A channel has one schema for good, so another one opens another channel."""
        self._live()
        known = (name, views, tuple((field.name, str(field.type)) for field in schema))
        if known not in self._channels:
            self._last_channel += 1
            self._channels[known] = self._open_new(self._last_channel, name, views, schema)
        return self._channels[known]

    def _open_new(self, number: int, name: str, views: tuple | None, schema: pa.Schema) -> _Channel:
        if views is None:
            keys = [column for column in schema.names if column != "millrace_at"]
            request = {"mode": _messages.MODE_GET, "views": [name], "key_columns": keys}
        else:
            request = {"mode": _messages.MODE_STREAM, "table": name, "views": list(views)}
        header, body = self._connection.request(Kind.OPEN, encode(_messages.OPEN, request), channel=number)
        if header.kind != Kind.OPENED:
            raise ProtocolError(f"the server answered an open with a frame of kind {header.kind}")
        opened = decode(_messages.OPENED, body)

        schemas = {}
        for _ in range(len(opened["views"]) + 1):
            header, body = self._connection.receive()
            if header.kind != Kind.SCHEMA:
                raise ProtocolError(f"the server sent a frame of kind {header.kind} where a schema was due")
            schemas[header.channel] = _arrow.read_schema(body)
        self._connection.announce(Kind.SCHEMA, schema.remove_metadata().serialize(), channel=number)
        answered = {entry["channel"]: (entry["name"], schemas[entry["channel"]]) for entry in opened["views"]}
        return _Channel(number, schemas[number], answered)


def connect(
    address: str = "127.0.0.1:7400",
    *,
    token: str | None = None,
    timeout: float | None = 30.0,
    wait: float = 0.0,
    reconnect: float = 30.0,
    name: str = "millrace-python",
    producer: int | bool = True,
) -> Server:
    """A connection to the server at `address`: `HOST:PORT` or `unix:PATH`.

    `timeout` bounds every wait for the server, in seconds (None: no bound); `wait` is how long to keep trying while
    nobody listens at the address yet; `reconnect` is how long a later call keeps trying to reach a server that went away;
    `token` is the credential, where the server asks for one.

    `producer` is as whom batches are sent: True, as a producer of this connection's own; a number of 64 bits, other than 0: as
    one that outlives it (one client at a time: a newer one takes it over); False: batches are not numbered, and a `compute` or
    `ingest` whose connection is lost raises `ConnectionClosed`.
    """
    options = {"token": token, "timeout": timeout, "name": name}
    sender = None if producer is False else Producer(None if producer is True else producer)
    return Server(connect_with_retries(address, wait=wait, producer=sender, **options), options, reconnect, sender)


def _numbered(batches: Iterable[pa.RecordBatch]) -> list[tuple[int, pa.RecordBatch]]:
    """Each with the number of its first row."""
    numbered, rows = [], 0
    for batch in batches:
        numbered.append((rows, batch))
        rows += batch.num_rows
    return numbered


def _microseconds(moment: datetime.datetime) -> int:
    """Since 1970; a datetime without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
    return (aware - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)
