"""One socket, its handshake, and requests with their answers.

Blocking for the caller; underneath, what is to be sent and what arrives are worked through side by side, so that a long
run of pipelined batches cannot end with both sides waiting to write.
"""

from __future__ import annotations

import select
import socket
import time
from typing import Callable, Iterator

from . import _frames, _messages
from ._flatbuffers import decode, encode
from ._frames import HEADER_BYTES, Header, Kind
from ._producer import Producer
from .errors import ConnectionClosed, ProducerUnknownError, ProtocolError, ServerError, server_error

_RECEIVE_BYTES = 1 << 18
_BUFFERS_PER_SEND = 64
# Where a wait has no bound of its own, the server is asked after so many seconds of silence, and given up after twice as many.
_PING_SECONDS = 20.0


def open_socket(address: str, timeout: float | None) -> socket.socket:
    """`host:port`, `[v6-host]:port` or `unix:PATH`."""
    if address.startswith("unix:"):
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened.settimeout(timeout)
        opened.connect(address[len("unix:") :])
        return opened
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"{address!r} is not an address: write HOST:PORT, such as 127.0.0.1:7400, or unix:PATH")
    opened = socket.create_connection((host.strip("[]"), int(port)), timeout=timeout)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


class Connection:
    """`timeout` bounds each wait, in seconds; None: no bound. With a `producer` its batches are numbered."""

    def __init__(self, address: str, *, token: str | None, timeout: float | None, name: str, producer: Producer | None = None):
        self.address = address
        self.timeout = timeout
        self._received = bytearray()
        # Whole frames in order, of the first perhaps only the rest.
        self._unsent: list[memoryview] = []
        # Frames that came while nobody waited, and have still to be looked at.
        self._early: list[tuple[Header, bytes]] = []
        self._last_heard = time.monotonic()
        self._last_request = 0
        # Takes the frames that say, unasked, how channels are since definitions have changed.
        self.channels_changed: Callable[[Header, bytes], None] = lambda header, body: None
        # What the server said when it ended the connection.
        self.ended_by: Exception | None = None
        # Version of the definitions in force at the server's last frame.
        self.definitions = 0
        # Requests that are answered only where they are refused.
        self._silent: set[int] = set()
        self._socket = open_socket(address, timeout)
        self._socket.setblocking(False)
        try:
            self.welcome = self._handshake(token, name, producer)
        except BaseException:
            self.close()
            raise
        # Requests that may be under way at once; the server changes it when it likes.
        self.credits = self.welcome["credits"]

    def _handshake(self, token: str | None, name: str, producer: Producer | None) -> dict:
        # The socket is read only inside calls: being silent between them must not count against it.
        hello = {"version_min": _frames.VERSION, "version_max": _frames.VERSION, "client_name": name, "answers_no_pings": True}
        if token is not None:
            hello["token"] = token
        numbers = {}
        if producer:
            hello["producer_id"] = producer.id
            numbers = {"batch_number": producer.sent, "received_up_to": producer.confirmed}
        header, body = self.request(Kind.HELLO, encode(_messages.HELLO, hello), **numbers)
        if header.kind != Kind.WELCOME:
            raise ProtocolError(f"the server answered the greeting with a frame of kind {header.kind}")
        welcome = decode(_messages.WELCOME, body)
        if producer:
            producer.welcomed(welcome["received_up_to"])
        return welcome

    def say_goodbye(self, received_up_to: int) -> None:
        """Tells the server, if that takes no waiting, that nothing more is asked for."""
        if self._socket is not None and not self._unsent:
            body = encode(_messages.GOODBYE, {"reason": "done"})
            try:
                self._socket.sendmsg(_frames.encode(Kind.GOODBYE, body, received_up_to=received_up_to))
            except OSError:
                pass
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def is_alive(self) -> bool:
        """Whether a request may be sent: looks at what came since the last call, without waiting."""
        try:
            while self._socket is not None and self._wait(False, 0)[0]:
                self._receive_some()
        except ConnectionClosed:
            pass  # What it said before it went is in what came.
        try:
            while (frame := self._next_frame()) is not None:
                self._early.append(frame)
        except (ConnectionClosed, ServerError):
            self.close()
        return self._socket is not None

    def next_request_id(self) -> int:
        self._last_request += 1
        return self._last_request

    # MARK: Requests

    def announce(self, kind: Kind, body, *, channel: int) -> None:
        """Sends what is answered only where it is refused; the refusal is raised by the next `pipeline`."""
        self.send(self.silent_frame(kind, body, channel=channel))

    def silent_frame(self, kind: Kind, body, *, channel: int) -> list:
        """The frame that `announce` sends."""
        request_id = self.next_request_id()
        self._silent.add(request_id)
        return _frames.encode(kind, body, channel=channel, request_id=request_id)

    def request(self, kind: Kind, body=b"", *, channel: int = 0, **numbers: int) -> tuple[Header, bytes]:
        """Sends one request and returns the first frame of its answer."""
        request_id = self.next_request_id()
        try:
            self.send(_frames.encode(kind, body, channel=channel, request_id=request_id, **numbers))
            return self.receive_answer(request_id)
        except TimeoutError:
            self.close()  # An answer that came later would be taken for another's.
            raise

    def receive_answer(self, request_id: int) -> tuple[Header, bytes]:
        header, body = self.receive()
        if header.request_id != request_id:
            raise ProtocolError(f"the server answered request {header.request_id} while {request_id} was outstanding")
        return header, body

    def pipeline(
        self,
        requests: Iterator[tuple[int, list]],
        answered: Callable[[Header, bytes], None],
        failed: Callable[[Header], None] = lambda header: None,
    ) -> None:
        """Sends `requests`, pairs of a request id and its frames, with as many under way at once as the server has given
        credits for, and hands every frame of an answer to `answered`; `failed` is told of errors that answer what was applied.

        Returns when all requests have had their answers. When the server refuses one, the rest is not sent, those under way
        are waited for, and the refusal is raised."""
        outstanding: set[int] = set()
        refusal: ServerError | None = None
        following = next(requests, None)
        while following or outstanding:
            while following and len(outstanding) < self.credits and len(self._unsent) < _BUFFERS_PER_SEND:
                outstanding.add(following[0])
                self._unsent += _views(following[1])
                following = next(requests, None)
            if not self._early:
                try:
                    self._exchange()
                except TimeoutError:
                    self.close()
                    raise
            while (frame := self._take_frame()) is not None:
                header = frame[0]
                if header.request_id not in outstanding and header.request_id not in self._silent:
                    raise ProtocolError(f"the server answered request {header.request_id}, which is not outstanding")
                is_refusal = header.kind == Kind.ERROR and not header.batch_number
                if header.is_last or header.kind == Kind.ACCEPTED or is_refusal:
                    outstanding.discard(header.request_id)
                try:
                    answered(*_checked(*frame))
                except ServerError as error:
                    refusal, following = refusal or error, None
                    if not is_refusal:
                        failed(header)
        self._silent.clear()
        if refusal:
            raise refusal

    # MARK: Frames

    def send(self, parts: list) -> None:
        self._unsent += _views(parts)
        while self._unsent:
            self._exchange()

    def receive(self) -> tuple[Header, bytes]:
        """The next frame that somebody waits for; raises the server's error if it is one."""
        while (frame := self._take_frame()) is None:
            self._exchange()
        return _checked(*frame)

    def _take_frame(self) -> tuple[Header, bytes] | None:
        return self._early.pop(0) if self._early else self._next_frame()

    def _next_frame(self) -> tuple[Header, bytes] | None:
        """The next whole frame but for those about the connection itself or its channels, which are seen to; raises where they end
        the connection."""
        while (frame := self._cut_frame()) is not None:
            header, body = frame
            self.definitions = header.definitions
            if header.kind == Kind.PING:
                self._unsent += _views(_frames.encode(Kind.PONG, b"", request_id=header.request_id))
            elif header.kind == Kind.CREDIT:
                self.credits = max(1, decode(_messages.CREDIT, body)["credits"])
            elif header.kind == Kind.GOODBYE or header.kind == Kind.ERROR and header.request_id == 0:
                self.close()
                try:
                    _checked(header, body)
                except (ConnectionClosed, ServerError) as error:
                    self.ended_by = self.ended_by or error  # A goodbye follows the reason.
                    raise
            elif header.request_id == 0 and header.kind in (Kind.OPENED, Kind.SCHEMA):
                self.channels_changed(header, body)
            elif header.kind != Kind.PONG:
                return frame
        return None

    def _cut_frame(self) -> tuple[Header, bytes] | None:
        if len(self._received) < HEADER_BYTES:
            return None
        header = _frames.decode_header(bytes(self._received[:HEADER_BYTES]))
        end = HEADER_BYTES + header.padded_body_length
        if len(self._received) < end:
            return None
        body = bytes(self._received[HEADER_BYTES : HEADER_BYTES + header.body_length])
        del self._received[:end]
        return header, body

    def _exchange(self) -> None:
        """Waits until something can be sent or has arrived, and does it."""
        if self._socket is None:
            raise ConnectionClosed("the connection is closed")
        wait = _PING_SECONDS if self.timeout is None else self.timeout
        readable, writable = self._wait(bool(self._unsent), wait)
        if not readable and not writable:
            if self.timeout is not None:
                raise TimeoutError(f"no answer from {self.address} within {self.timeout} seconds")
            self._ask_for_life()
        if readable:
            self._receive_some()
        if writable:
            self._send_some()

    def _wait(self, wants_write: bool, seconds: float) -> tuple[bool, bool]:
        """Whether the socket can be read and written; waits until one is so."""
        poll = select.poll()  # Unlike select, it takes descriptors past 1,023.
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if wants_write else 0))
        events = poll.poll(seconds * 1_000)
        happened = events[0][1] if events else 0
        return bool(happened & ~select.POLLOUT), bool(happened & select.POLLOUT)

    def _ask_for_life(self) -> None:
        if time.monotonic() - self._last_heard >= 2 * _PING_SECONDS:
            self.close()
            raise ConnectionClosed(f"{self.address} did not answer a ping within {_PING_SECONDS} seconds")
        if not self._unsent:
            self._unsent += _views(_frames.encode(Kind.PING, b""))

    def _receive_some(self) -> None:
        try:
            received = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except ConnectionResetError:
            received = b""
        if not received:
            self.close()
            raise ConnectionClosed(f"{self.address} closed the connection")
        self._received += received
        self._last_heard = time.monotonic()

    def _send_some(self) -> None:
        try:
            _drop(self._unsent, self._socket.sendmsg(self._unsent[:_BUFFERS_PER_SEND]))
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            # What the server had to say before it went is still to be read; only then is the connection over.
            self._unsent.clear()


def connect_with_retries(
    address: str, *, token: str | None, timeout: float | None, name: str, wait: float, producer: Producer | None = None
) -> Connection:
    """Tries again for `wait` seconds while nobody answers at `address` yet."""
    deadline = time.monotonic() + wait
    while True:
        try:
            return Connection(address, token=token, timeout=timeout, name=name, producer=producer)
        except ProducerUnknownError as error:
            if producer is None or producer.sent == 0:
                raise
            producer.forgotten(error)
        except (ConnectionRefusedError, ConnectionResetError, ConnectionClosed, FileNotFoundError):
            # A server that starts or ends may take a connection and let it go.
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.02)


def _checked(header: Header, body: bytes) -> tuple[Header, bytes]:
    if header.kind == Kind.ERROR:
        error = decode(_messages.ERROR, body)
        raise server_error(error["code"], error["message"], error["detail"], error["retry"])
    if header.kind == Kind.GOODBYE:
        reason = decode(_messages.GOODBYE, body)["reason"] if body else ""
        message = f"the server said goodbye: {reason}" if reason else "the server said goodbye"
        raise ConnectionClosed(message, is_goodbye=True)
    return header, body


def _views(parts: list) -> list[memoryview]:
    return [memoryview(part).cast("B") for part in parts]


def _drop(unsent: list[memoryview], count: int) -> None:
    """Takes the first `count` bytes off `unsent`."""
    whole = 0
    while whole < len(unsent) and len(unsent[whole]) <= count:
        count -= len(unsent[whole])
        whole += 1
    del unsent[:whole]
    if count:
        unsent[0] = unsent[0][count:]
