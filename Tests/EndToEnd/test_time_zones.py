"""Time zones against Python's zoneinfo, which reads the same database: what clocks show at a moment and which moment they
mean, on every day that clocks change, far beyond the last change that zone files list (2037)."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from compare import load
from running import run

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1)
FIRST, END = datetime.date(2020, 1, 1), datetime.date(2101, 1, 1)
STEP = datetime.timedelta(minutes=30)
# North and south, half an hour of saving, standard time in summer, changes on other days than Sunday or before midnight, none.
ZONES = [
    "America/New_York", "Europe/Berlin", "Europe/Dublin", "Australia/Sydney", "Australia/Lord_Howe", "America/Santiago",
    "America/Nuuk", "Asia/Jerusalem", "Pacific/Auckland", "Asia/Kolkata",
]


def days_of_change(zone: ZoneInfo) -> list[datetime.datetime]:
    """Midnights (UTC) that are followed by a change within a day."""
    days = [datetime.datetime(day.year, day.month, day.day, tzinfo=UTC) for day in map(FIRST.__add__, deltas())]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    return [day for day, here, there in zip(days, offsets, offsets[1:]) if here != there]


def deltas():
    return (datetime.timedelta(days=count) for count in range((END - FIRST).days))


def meant(clock: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    """As PostgreSQL reads it: a time that is skipped by the offset before, one that is shown twice by the offset after."""
    first, second = (clock.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    is_skipped = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != clock
    return (first if is_skipped else second).astimezone(UTC)


def test_clocks_until_2100(tmp_path):
    rows = []
    for index, name in enumerate(ZONES):
        zone = ZoneInfo(name)
        days = days_of_change(zone) or [datetime.datetime(2099, 7, 1, tzinfo=UTC)]
        for day in days:
            for step in range(28 * 2 * 2):
                moment = day - 14 * datetime.timedelta(hours=1) + step * STEP
                clock = moment.replace(tzinfo=None)
                rows.append((index, moment, clock, moment.astimezone(zone).replace(tzinfo=None), meant(clock, zone)))
    assert len(rows) > 50_000
    zone_of_row, moments, clocks, shown, meant_moments = zip(*rows)
    table = pa.table({
        "zone": pa.array(zone_of_row, pa.int32()), "moment": pa.array(moments, pa.timestamp("us", "UTC")),
        "clock": pa.array(clocks, pa.timestamp("us")),
    })
    with pa.OSFile(str(tmp_path / "moments.arrows"), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write(table)

    def chosen(expression: str) -> str:
        branches = " ".join(f"WHEN {index} THEN {expression} AT TIME ZONE '{zone}'" for index, zone in enumerate(ZONES))
        return f"CASE zone {branches} END"

    (tmp_path / "zones.sql").write_text(
        "CREATE TABLE moments (zone integer, moment timestamptz, clock timestamp);\n"
        f"SELECT {chosen('moment')} AS shown, {chosen('clock')} AS meant FROM moments;\n")
    run("replay", tmp_path / "zones.sql", "--input", f"moments={tmp_path / 'moments.arrows'}", "--output", tmp_path / "got.arrow")
    got = load(tmp_path / "got.arrow")
    differing = [
        (ZONES[row[0]], row[1:], shown, meant)
        for row, shown, meant in zip(rows, got["shown"].to_pylist(), got["meant"].to_pylist())
        if shown != row[3] or meant != row[4]
    ]
    assert not differing, f"{len(differing)} of {len(rows)}, such as {differing[:3]}"


def test_the_server_says_which_database_it_has(serve, tmp_path):
    definitions = "CREATE TABLE t (ts timestamptz, x bigint); SELECT ts, count(*) OVER (ORDER BY ts) AS n FROM t;"
    server = serve(definitions)
    (tmp_path / "t.sql").write_text(definitions)
    said = run("check", tmp_path / "t.sql").stdout.decode()
    line = next(line for line in said.splitlines() if "time zone database" in line)
    assert line.startswith("session time zone UTC; time zone database /usr/share/zoneinfo, version 2")
    assert line.split("; ")[1] in server.log_text()
