"""Whose batches these are, and how far they have come. No I/O: what a connection says goes in, numbers come out.

    numbers   1 … confirmed │ confirmed + 1 …     … sent │ sent + 1 …
              answered      │ sent: no answer yet        │ never sent

The batches of the call under way have the numbers behind `confirmed`, in their order. After a connection has ended they are sent again with the
same numbers; the server answers again what it had applied."""

from __future__ import annotations

import secrets

from .errors import ProducerFencedError, ServerError


class Producer:
    def __init__(self, id: int | None = None):
        """`id`: one that outlives the process; None: one of its own."""
        self.id = secrets.randbits(64) or 1 if id is None else id
        self.confirmed = 0
        # The last number that the server may have applied.
        self.sent = 0
        # How far the server had come when this connection began.
        self._welcomed = 0
        # The call under way has sent some.
        self.is_waiting = False
        # The server did not know the producer when it came back: the error that says so, until it is raised.
        self.loss: ServerError | None = None

    def welcomed(self, received_up_to: int) -> None:
        """A connection begins: the server has the batches up to this number, and none behind it."""
        if not self.is_waiting or received_up_to < self.confirmed:
            self.confirmed = received_up_to
        elif received_up_to > self.sent:
            raise ProducerFencedError(
                "producer_fenced", f"the server has batches of producer {self.id} that this client did not send: another one uses the same id")
        self.sent = self._welcomed = received_up_to

    def sends(self, number: int) -> None:
        self.is_waiting = True
        self.sent = max(self.sent, number)

    def answered(self) -> None:
        """The oldest batch without an answer has it, and was applied."""
        self.confirmed += 1

    def said_goodbye(self) -> None:
        """The server has ended the connection, and took nothing that it did not answer."""
        self.sent = max(self._welcomed, self.confirmed)

    def forgotten(self, error: ServerError) -> None:
        """The server does not know it: it begins anew, and what was applied of the call under way cannot be told."""
        if self.is_waiting and self.sent > self.confirmed:
            self.loss = error
        self.confirmed = self.sent = self._welcomed = 0

    def begin(self) -> None:
        self.is_waiting, self.loss = False, None

    def end(self) -> None:
        """Nobody waits for answers any more: the next number is the one behind all that were applied."""
        self.is_waiting = False
        self.confirmed = max(self.confirmed, self._welcomed)

    def check(self) -> None:
        """Raises where batches of the call under way may have been applied, and nobody knows."""
        if self.loss is not None:
            error, self.loss = self.loss, None
            raise error
