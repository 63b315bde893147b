"""The frame of Millrace's protocol: a header of 64 bytes, then a body padded to 8 (docs/protocol.md)."""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

from ._checksum import crc32c
from .errors import ProtocolError

MAGIC = 0x4C4C494D  # "MILL", little-endian
VERSION = 1
HEADER_BYTES = 64
LAST_OF_ANSWER = 1 << 1
EVENTLESS = 1 << 2

# magic, version, kind, flags, body_length, channel, request_id, sequence, epoch, definitions, batch_number,
# received_up_to, body_crc32c, header_crc32c
_LAYOUT = struct.Struct("<IBBHIIQQIIQQII")
assert _LAYOUT.size == HEADER_BYTES


class Kind(enum.IntEnum):
    HELLO = 1
    WELCOME = 2
    OPEN = 3
    OPENED = 4
    SCHEMA = 5
    DICTIONARY = 6
    COMPUTE = 7
    INGEST = 8
    EVALUATE = 9
    RESULT = 10
    ACCEPTED = 11
    GET = 12
    SUBSCRIBE = 13
    SUBSCRIBED = 14
    PUSH = 15
    UNSUBSCRIBE = 16
    STATUS = 17
    STATUS_REPLY = 18
    ERROR = 19
    PING = 20
    PONG = 21
    GOODBYE = 22
    CREDIT = 23
    APPLY = 24
    APPLIED = 25
    CLOSE = 26
    GAP = 27


class Header(NamedTuple):
    kind: int
    flags: int
    body_length: int
    channel: int
    request_id: int
    sequence: int
    definitions: int
    batch_number: int

    @property
    def padded_body_length(self) -> int:
        return (self.body_length + 7) & ~7

    @property
    def is_last(self) -> bool:
        return bool(self.flags & LAST_OF_ANSWER)

    @property
    def is_eventless(self) -> bool:
        return bool(self.flags & EVENTLESS)


def encode(
    kind: Kind, body, *, channel: int = 0, request_id: int = 0, batch_number: int = 0, received_up_to: int = 0
) -> list:
    """The frame as buffers to be sent one after the other; the body is not copied."""
    length = len(memoryview(body).cast("B"))
    header = bytearray(
        _LAYOUT.pack(MAGIC, VERSION, kind, 0, length, channel, request_id, 0, 0, 0, batch_number, received_up_to, 0, 0)
    )
    struct.pack_into("<I", header, 60, crc32c(header[:60]))
    parts = [header]
    if length:
        parts.append(body)
    if length % 8:
        parts.append(bytes(8 - length % 8))
    return parts


def decode_header(octets: bytes | memoryview) -> Header:
    magic, version, kind, flags, length, channel, request_id, sequence, _, definitions, batch_number, *_, checksum = _LAYOUT.unpack(octets)
    if magic != MAGIC:
        raise ProtocolError(f"this is not a Millrace server: a frame starts with {magic:#010x}, not with {MAGIC:#010x}")
    if checksum != crc32c(memoryview(octets)[:60]):
        raise ProtocolError("a frame's header does not match its checksum")
    if version != VERSION:
        raise ProtocolError(f"the server sent a frame of version {version}; this client speaks version {VERSION}")
    return Header(kind, flags, length, channel, request_id, sequence, definitions, batch_number)
