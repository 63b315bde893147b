"""Talks to a Millrace server by docs/protocol.md alone: pyarrow, a socket, and no code of Millrace's.

usage: bare_pyarrow.py HOST PORT    (a server of card_hour over payments: see definitions.py)"""

import socket, struct, sys  # noqa: E401
import pyarrow as pa

HELLO, OPEN, OPENED, SCHEMA, COMPUTE, RESULT = 1, 3, 4, 5, 7, 10
server = socket.create_connection((sys.argv[1], int(sys.argv[2])))


def crc32c(octets):
    remainder = 0xFFFFFFFF
    for octet in octets:
        remainder ^= octet
        for _ in range(8):
            remainder = (remainder >> 1) ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF


def send(kind, body, channel=0, request=0):
    header = struct.pack("<IBBHIIQQIIQQI", 0x4C4C494D, 1, kind, 0, len(body), channel, request, 0, 0, 0, 0, 0, 0)
    server.sendall(header + struct.pack("<I", crc32c(header)) + body + bytes(-len(body) % 8))


def receive():
    header = server.recv(64, socket.MSG_WAITALL)
    kind, length, channel = header[5], *struct.unpack_from("<II", header, 8)
    return kind, channel, server.recv(length + -length % 8, socket.MSG_WAITALL)[:length]


def table(slots, end):
    """A FlatBuffers table of two-byte slots (offsets of its fields, 0 for none) in front of the fields themselves."""
    vtable = struct.pack(f"<{len(slots) + 2}H", 4 + 2 * len(slots), 4 + len(end), *slots)
    vtable += bytes(-len(vtable) % 4)
    return struct.pack("<I", 4 + len(vtable)) + vtable + struct.pack("<i", len(vtable)) + end


send(HELLO, table([4, 5], b"\1\1\0\0"))  # version_min, version_max
assert receive()[0] == HELLO + 1
send(OPEN, table([0, 4], struct.pack("<II", 4, len("payments")) + b"payments\0\0\0\0"), channel=1)
assert receive()[0] == OPENED
schemas = {channel: pa.ipc.read_schema(pa.py_buffer(body)) for _, channel, body in (receive(), receive())}
(result,) = schemas.keys() - {1}

microseconds = [1_704_456_000_000_000 + minute * 60_000_000 for minute in (0, 1, 2, 61)]
rows = {"ts": pa.array(microseconds, pa.timestamp("us", "UTC")), "card_id": [1, 2, 1, 1], "amount": [10.0, 5.0, 2.5, 1.0], "merchant": ["a"] * 4}
batch = pa.table(rows).to_batches()[0]
send(SCHEMA, batch.schema.serialize().to_pybytes(), channel=1)
send(COMPUTE, batch.serialize().to_pybytes(), channel=1, request=7)
kind, channel, body = receive()
assert (kind, channel) == (RESULT, result)
vectors = pa.ipc.read_record_batch(pa.py_buffer(body), schemas[result])
assert vectors["payments_1h"].to_pylist() == [1, 1, 2, 2] and vectors["spent_1h"].to_pylist() == [10.0, 5.0, 12.5, 3.5]
print("right numbers:", vectors.select(["card_id", "payments_1h", "spent_1h"]).to_pylist())
