"""The control messages of protocol version 1: field by field in the order of `schemas/protocol.fbs`."""

from __future__ import annotations

HELLO = (
    ("version_min", "B"),
    ("version_max", "B"),
    ("token", "string"),
    ("client_name", "string"),
    ("producer_id", "Q"),
    ("wants_body_checksums", "?"),
    ("credits_wanted", "I"),
    ("answers_no_pings", "?"),
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
    ("received_up_to", "Q"),
)
OPEN = (("mode", "B"), ("table", "string"), ("views", "[string]"), ("key_columns", "[string]"))
MODE_STREAM, MODE_GET = 0, 1
OPENED_VIEW = (("name", "string"), ("channel", "I"))
OPENED = (("table", "string"), ("views", [OPENED_VIEW]), ("event_time", "string"))
ACCEPTED = (("rows", "I"), ("late", "I"), ("refused", "I"))
SUBSCRIBE = (
    ("view", "string"),
    ("where", "string"),
    ("from_sequence", "Q"),
    ("on_full", "B"),
    ("from_row", "I"),
    ("resume", "?"),
    ("key_schema", "[ubyte]"),
    ("keys", "[ubyte]"),
    ("buffer_bytes", "I"),
    ("notify_milliseconds", "I"),
)
ON_FULL = ("conflate", "drop", "disconnect")
SUBSCRIBED = (
    ("channel", "I"),
    ("sequence", "Q"),
    ("on_full", "B"),
    ("key_columns", "[string]"),
    ("buffer_bytes", "I"),
    ("notify_milliseconds", "I"),
)
GAP_CAUSES = ("conflated", "dropped", "gone")
GAP = (
    ("cause", "B"),
    ("rows", "Q"),
    ("from_sequence", "Q"),
    ("from_row", "I"),
    ("to_sequence", "Q"),
    ("to_row", "I"),
)
STATUS_ENTRY = (("name", "string"), ("label", "string"), ("unit", "string"), ("value", "d"))
STATUS_REPLY = (("server_version", "string"), ("entries", [STATUS_ENTRY]))
ERROR = (("code", "string"), ("message", "string"), ("detail", "string"), ("retry", "?"))
CREDIT = (("credits", "I"),)
GOODBYE = (("reason", "string"),)
SOURCE_TEXT = (("name", "string"), ("text", "string"))
APPLY = (("sources", [SOURCE_TEXT]), ("dry_run", "?"))
APPLIED = (
    ("is_applied", "?"),
    ("definitions", "I"),
    ("report", "string"),
    ("has_errors", "?"),
    ("memory_bytes_before", "Q"),
    ("memory_bytes_after", "Q"),
)
