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
from .errors import ConnectionClosed, ProtocolError, ServerError, server_error

_RECEIVE_BYTES = 1 << 18
_BUFFERS_PER_SEND = 64


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
    def __init__(self, address: str, *, token: str | None, timeout: float | None, name: str):
        self.address = address
        self.timeout = timeout
        self._received = bytearray()
        self._last_request = 0
        # Takes the frames that say, unasked, how channels are since definitions have changed.
        self.channels_changed: Callable[[Header, bytes], None] = lambda header, body: None
        # Version of the definitions in force at the server's last frame.
        self.definitions = 0
        # Requests that are answered only where they are refused.
        self._silent: set[int] = set()
        self._socket = open_socket(address, timeout)
        self._socket.setblocking(False)
        try:
            self.welcome = self._handshake(token, name)
        except BaseException:
            self.close()
            raise

    def _handshake(self, token: str | None, name: str) -> dict:
        hello = {"version_min": _frames.VERSION, "version_max": _frames.VERSION, "client_name": name}
        if token is not None:
            hello["token"] = token
        header, body = self.request(Kind.HELLO, encode(_messages.HELLO, hello))
        if header.kind != Kind.WELCOME:
            raise ProtocolError(f"the server answered the greeting with a frame of kind {header.kind}")
        return decode(_messages.WELCOME, body)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def next_request_id(self) -> int:
        self._last_request += 1
        return self._last_request

    # MARK: Requests

    def announce(self, kind: Kind, body, *, channel: int) -> None:
        """Sends what is answered only where it is refused; the refusal is raised by the next `pipeline`."""
        request_id = self.next_request_id()
        self._silent.add(request_id)
        self.send(_frames.encode(kind, body, channel=channel, request_id=request_id))

    def request(self, kind: Kind, body=b"", *, channel: int = 0) -> tuple[Header, bytes]:
        """Sends one request and returns the first frame of its answer."""
        request_id = self.next_request_id()
        self.send(_frames.encode(kind, body, channel=channel, request_id=request_id))
        return self.receive_answer(request_id)

    def receive_answer(self, request_id: int) -> tuple[Header, bytes]:
        header, body = self.receive()
        if header.request_id != request_id:
            raise ProtocolError(f"the server answered request {header.request_id} while {request_id} was outstanding")
        return header, body

    def pipeline(self, requests: Iterator[tuple[int, list]], answered: Callable[[Header, bytes], None]) -> None:
        """Sends `requests`, pairs of a request id and its frames, with as many under way at once as the server has given
        credits for, and hands every frame of an answer to `answered`.

        Returns when all requests have had their answers. When the server refuses one, the rest is not sent, those under way
        are waited for, and the refusal is raised."""
        credits = max(1, self.welcome["credits"])
        outstanding: set[int] = set()
        unsent: list[memoryview] = []
        refusal: ServerError | None = None
        following = next(requests, None)
        while following or outstanding:
            while following and len(outstanding) < credits and len(unsent) < _BUFFERS_PER_SEND:
                outstanding.add(following[0])
                unsent += _views(following[1])
                following = next(requests, None)
            self._exchange(unsent)
            while (frame := self._next_frame()) is not None:
                header = frame[0]
                if header.request_id not in outstanding | self._silent:
                    _checked(*frame)
                    raise ProtocolError(f"the server answered request {header.request_id}, which is not outstanding")
                if header.is_last or header.kind in (Kind.ACCEPTED, Kind.ERROR):
                    outstanding.discard(header.request_id)
                try:
                    answered(*_checked(*frame))
                except ServerError as error:
                    refusal, following = refusal or error, None
        self._silent.clear()
        if refusal:
            raise refusal

    # MARK: Frames

    def send(self, parts: list) -> None:
        unsent = _views(parts)
        while unsent:
            self._exchange(unsent)

    def receive(self) -> tuple[Header, bytes]:
        """The next frame; raises the server's error if it is one. Pings are answered on the way."""
        while True:
            while (frame := self._next_frame()) is None:
                self._exchange([])
            if frame[0].kind == Kind.PING:
                self.send(_frames.encode(Kind.PONG, frame[1], request_id=frame[0].request_id))
                continue
            return _checked(*frame)

    def _next_frame(self) -> tuple[Header, bytes] | None:
        while (frame := self._next_received()) is not None:
            header, body = frame
            self.definitions = header.definitions
            if header.request_id or header.kind not in (Kind.OPENED, Kind.SCHEMA):
                return frame
            self.channels_changed(header, body)
        return None

    def _next_received(self) -> tuple[Header, bytes] | None:
        if len(self._received) < HEADER_BYTES:
            return None
        header = _frames.decode_header(bytes(self._received[:HEADER_BYTES]))
        end = HEADER_BYTES + header.padded_body_length
        if len(self._received) < end:
            return None
        body = bytes(self._received[HEADER_BYTES : HEADER_BYTES + header.body_length])
        del self._received[:end]
        return header, body

    def _exchange(self, unsent: list[memoryview]) -> None:
        """Waits until something can be sent or has arrived, and does it; takes what was sent off `unsent`."""
        if self._socket is None:
            raise ConnectionClosed("the connection is closed")
        readable, writable, _ = select.select([self._socket], [self._socket] if unsent else [], [], self.timeout)
        if not readable and not writable:
            raise TimeoutError(f"no answer from {self.address} within {self.timeout} seconds")
        if readable:
            self._receive_some()
        if writable:
            self._send_some(unsent)

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

    def _send_some(self, unsent: list[memoryview]) -> None:
        try:
            _drop(unsent, self._socket.sendmsg(unsent[:_BUFFERS_PER_SEND]))
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            # What the server had to say before it went is still to be read; only then is the connection over.
            unsent.clear()


def connect_with_retries(address: str, *, token: str | None, timeout: float | None, name: str, wait: float) -> Connection:
    """Tries again for `wait` seconds while nobody listens at `address` yet."""
    deadline = time.monotonic() + wait
    while True:
        try:
            return Connection(address, token=token, timeout=timeout, name=name)
        except (ConnectionRefusedError, FileNotFoundError):
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.02)


def _checked(header: Header, body: bytes) -> tuple[Header, bytes]:
    if header.kind == Kind.ERROR:
        error = decode(_messages.ERROR, body)
        raise server_error(error["code"], error["message"], error["detail"], error["retry"])
    if header.kind == Kind.GOODBYE:
        reason = decode(_messages.GOODBYE, body)["reason"] if body else ""
        raise ConnectionClosed(f"the server said goodbye: {reason}" if reason else "the server said goodbye")
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
