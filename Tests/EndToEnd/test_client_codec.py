"""The Python client's own reading and writing of frames and control messages, without a server: against the schema file, against
flatc, and against arbitrary bytes."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace import _frames, _messages
from millrace._checksum import crc32c
from millrace._flatbuffers import decode, encode
from millrace.errors import ProtocolError
from paths import ROOT

SCHEMA = ROOT / "schemas/protocol.fbs"
LAYOUTS = {
    "Hello": _messages.HELLO,
    "Welcome": _messages.WELCOME,
    "Open": _messages.OPEN,
    "OpenedView": _messages.OPENED_VIEW,
    "Opened": _messages.OPENED,
    "Accepted": _messages.ACCEPTED,
    "Subscribe": _messages.SUBSCRIBE,
    "Subscribed": _messages.SUBSCRIBED,
    "Gap": _messages.GAP,
    "StatusEntry": _messages.STATUS_ENTRY,
    "StatusReply": _messages.STATUS_REPLY,
    "Error": _messages.ERROR,
    "Goodbye": _messages.GOODBYE,
}
LETTERS = {"ubyte": "B", "ushort": "H", "uint": "I", "ulong": "Q", "bool": "?", "double": "d"}
ENUMS = {"OpenMode": "B", "OnFull": "B", "GapCause": "B"}


def schema_fields(table: str) -> list[tuple]:
    body = re.search(rf"table {table} {{(.*?)}}", re.sub(r"//.*", "", SCHEMA.read_text()), re.DOTALL)[1]
    return [(name, layout_type(kind)) for name, kind in re.findall(r"(\w+)\s*:\s*([\[\]\w]+)", body)]


def layout_type(kind: str):
    if kind.startswith("["):
        element = kind[1:-1]
        return kind if element in ("string", "ubyte") else [LAYOUTS[element]]
    return LETTERS.get(kind) or ENUMS.get(kind) or kind


@pytest.mark.parametrize("table", LAYOUTS)
def test_layouts_follow_the_schema(table):
    assert list(LAYOUTS[table]) == schema_fields(table)


def values(kind):
    if isinstance(kind, list):
        return st.lists(messages(kind[0]), max_size=4)
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
    ranges = {letter: st.integers(0, 256**size - 1) for letter, size in {"B": 1, "H": 2, "I": 4, "Q": 8}.items()}
    others = {
        "?": st.booleans(),
        "d": st.floats(allow_nan=False),
        "string": text,
        "[string]": st.lists(text, max_size=4),
        "[ubyte]": st.binary(max_size=40),
    }
    return (ranges | others)[kind]


def messages(layout):
    return st.fixed_dictionaries({name: values(kind) for name, kind in layout})


@pytest.mark.parametrize("table", LAYOUTS)
def test_messages_survive_the_way_there_and_back(table):
    @given(messages(LAYOUTS[table]))
    def check(message):
        assert decode(LAYOUTS[table], encode(LAYOUTS[table], message)) == message

    check()


def test_flatc_reads_what_is_written(tmp_path):
    opened = {"table": "payments", "views": [{"name": "a", "channel": 0x8000_0000}, {"name": "bb", "channel": 7}], "event_time": "ts"}
    (tmp_path / "opened.bin").write_bytes(encode(_messages.OPENED, opened))
    command = ["flatc", "--json", "--strict-json", "--raw-binary", "--root-type", "millrace.protocol.Opened"]
    subprocess.run([*command, "-o", tmp_path, SCHEMA, "--", tmp_path / "opened.bin"], check=True)
    assert json.loads((tmp_path / "opened.json").read_text()) == opened


@pytest.mark.parametrize("table", LAYOUTS)
def test_damaged_messages_are_refused_and_nothing_worse(table):
    @given(messages(LAYOUTS[table]), st.data())
    def check(message, data):
        octets = bytearray(encode(LAYOUTS[table], message))
        for _ in range(data.draw(st.integers(1, 4))):
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
        try:
            decode(LAYOUTS[table], octets[: data.draw(st.integers(0, len(octets)))])
        except ProtocolError:
            pass

    check()


def test_crc32c_is_that_of_the_rfc():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA


def test_a_frame_is_a_header_and_a_padded_body():
    octets = b"".join(bytes(part) for part in _frames.encode(_frames.Kind.COMPUTE, b"12345", channel=3, request_id=9))
    assert len(octets) == 72 and octets[64:] == b"12345\0\0\0"
    header = _frames.decode_header(octets[:64])
    assert (header.kind, header.body_length, header.channel, header.request_id) == (7, 5, 3, 9)


@given(st.binary(min_size=64, max_size=64))
def test_a_header_of_arbitrary_bytes_is_refused(octets):
    with pytest.raises(ProtocolError):
        _frames.decode_header(octets)


@given(st.integers(0, 63), st.integers(1, 255))
def test_a_header_with_one_wrong_byte_is_refused(place, change):
    octets = bytearray(_frames.encode(_frames.Kind.PING, b"")[0])
    octets[place] ^= change
    with pytest.raises(ProtocolError):
        _frames.decode_header(octets)
