"""The control messages of protocol version 1: field by field in the order of `schemas/protocol.fbs`."""

from __future__ import annotations

HELLO = (
    ("version_min", "B"),
    ("version_max", "B"),
    ("token", "[ubyte]"),
    ("client_name", "string"),
    ("producer_id", "Q"),
    ("wants_body_checksums", "?"),
    ("credits_wanted", "I"),
)
WELCOME = (
    ("version", "B"),
    ("server_name", "string"),
    ("server_version", "string"),
    ("epoch", "I"),
    ("sequence", "Q"),
    ("credits", "I"),
    ("frame_body_bytes_max", "I"),
    ("batch_rows_max", "I"),
    ("definitions", "I"),
)
OPEN = (
    ("table", "string"),
    ("views", "[string]"),
    ("mode", "B"),
    ("view", "string"),
    ("key_columns", "[string]"),
)
OPEN_STREAM, OPEN_GET = 0, 1
OPENED_VIEW = (("name", "string"), ("channel", "I"))
OPENED = (("table", "string"), ("views", [OPENED_VIEW]))
ACCEPTED = (("rows", "Q"), ("late", "Q"), ("refused", "Q"))
SUBSCRIBE = (("view", "string"), ("where", "string"), ("from_sequence", "Q"), ("on_full", "B"))
SUBSCRIBED = (("channel", "I"),)
ERROR = (("code", "string"), ("message", "string"), ("detail", "string"), ("retry", "?"))
