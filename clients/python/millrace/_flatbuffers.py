"""FlatBuffers tables as dictionaries: as much of the format as control bodies use.

A layout lists a table's fields in the order of the schema (`schemas/protocol.fbs`):

    HELLO = (("version_min", "B"), ("token", "string"), ("views", "[string]"), ("parts", [PART]))

where a type is a letter of the struct module, "string", "[string]", "[ubyte]", or a list holding the layout of a vector's tables.
Fields left out of a dictionary are left out of the table; fields absent from a table read as 0, "" or an empty list.
The format: https://flatbuffers.dev/internals
"""

from __future__ import annotations

import struct

from .errors import ProtocolError

Layout = tuple


# MARK: Writing


def encode(layout: Layout, values: dict) -> bytes:
    """`values` as a finished buffer. Written front to back: everything that a field points at comes after it."""
    out = bytearray(4)
    struct.pack_into("<I", out, 0, _write_table(out, layout, values))
    return bytes(out)


def _write_table(out: bytearray, layout: Layout, values: dict) -> int:
    unknown = set(values) - {name for name, _ in layout}
    if unknown:
        raise KeyError(f"the table has no field {sorted(unknown)}")
    present = [(slot, kind, values[name]) for slot, (name, kind) in enumerate(layout) if values.get(name) is not None]

    _align(out, 2)
    vtable = len(out)
    out += bytes(4 + 2 * len(layout))
    _align(out, 8)
    table = len(out)
    out += bytes(4)
    struct.pack_into("<i", out, table, table - vtable)

    pointers = []
    for slot, kind, value in present:
        letter = kind if isinstance(kind, str) and len(kind) == 1 else "I"
        _align(out, struct.calcsize(letter))
        struct.pack_into("<H", out, vtable + 4 + 2 * slot, len(out) - table)
        if letter is kind:
            out += struct.pack("<" + letter, value)
        else:
            pointers.append((len(out), kind, value))
            out += bytes(4)
    struct.pack_into("<HH", out, vtable, 4 + 2 * len(layout), len(out) - table)

    for place, kind, value in pointers:
        _point(out, place, _write_pointed(out, kind, value))
    return table


def _write_pointed(out: bytearray, kind, value) -> int:
    if kind == "string":
        return _write_bytes(out, value.encode()) if isinstance(value, str) else _write_bytes(out, value)
    if kind == "[ubyte]":
        return _write_bytes(out, value)
    _align(out, 4)
    vector = len(out)
    out += struct.pack("<I", len(value)) + bytes(4 * len(value))
    for index, element in enumerate(value):
        target = _write_pointed(out, "string", element) if kind == "[string]" else _write_table(out, kind[0], element)
        _point(out, vector + 4 + 4 * index, target)
    return vector


def _write_bytes(out: bytearray, octets: bytes) -> int:
    _align(out, 4)
    place = len(out)
    out += struct.pack("<I", len(octets)) + octets + b"\0"
    return place


def _align(out: bytearray, bytes_: int) -> None:
    out += bytes(-len(out) % bytes_)


def _point(out: bytearray, place: int, target: int) -> None:
    struct.pack_into("<I", out, place, target - place)


# MARK: Reading


def decode(layout: Layout, octets) -> dict:
    """The table at the root of `octets`. Raises ProtocolError where an offset leaves the buffer."""
    view = memoryview(octets).cast("B")
    try:
        return _read_table(view, layout, struct.unpack_from("<I", view, 0)[0])
    except (struct.error, UnicodeDecodeError, IndexError) as error:
        raise ProtocolError(f"a control message is damaged: {error}") from error


def _read_table(view: memoryview, layout: Layout, table: int) -> dict:
    vtable = table - struct.unpack_from("<i", view, table)[0]
    if vtable < 0:
        raise ProtocolError("a control message is damaged: its field table lies outside of it")
    vtable_bytes = struct.unpack_from("<H", view, vtable)[0]
    values = {}
    for slot, (name, kind) in enumerate(layout):
        entry = 4 + 2 * slot
        offset = struct.unpack_from("<H", view, vtable + entry)[0] if entry + 2 <= vtable_bytes else 0
        values[name] = _read_field(view, kind, table + offset) if offset else _absent(kind)
    return values


def _absent(kind):
    if isinstance(kind, list) or kind == "[string]":
        return []
    return {"string": "", "[ubyte]": b"", "?": False}.get(kind, 0)


def _read_field(view: memoryview, kind, place: int):
    if isinstance(kind, str) and len(kind) == 1:
        return struct.unpack_from("<" + kind, view, place)[0]
    target = place + struct.unpack_from("<I", view, place)[0]
    count = struct.unpack_from("<I", view, target)[0]
    if kind in ("string", "[ubyte]"):
        if target + 4 + count > len(view):
            raise ProtocolError("a control message is damaged: a string leaves it")
        octets = bytes(view[target + 4 : target + 4 + count])
        return octets.decode() if kind == "string" else octets
    if target + 4 + 4 * count > len(view):
        raise ProtocolError("a control message is damaged: a vector leaves it")
    places = range(target + 4, target + 4 + 4 * count, 4)
    if kind == "[string]":
        return [_read_field(view, "string", element) for element in places]
    return [_read_table(view, kind[0], element + struct.unpack_from("<I", view, element)[0]) for element in places]
