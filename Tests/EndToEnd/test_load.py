"""millrace-load against real servers: every preset with its answers computed once more, the reports, the exit codes."""

from __future__ import annotations

import html.parser
import json
import os
import subprocess
import xml.etree.ElementTree
from pathlib import Path

import pytest

from paths import BINARY

LOAD = Path(os.environ.get("MILLRACE_LOAD_BINARY", BINARY.with_name("millrace-load")))
PRESETS = ["card-fraud", "ad-clicks", "trades", "iot"]
SHORT = ["--duration", "300ms", "--warm-up", "100ms", "--pool", "20k", "--quiet"]

DEFINITIONS = """
CREATE TABLE orders (at timestamp NOT NULL, buyer text, price numeric(10,2), due date, paid boolean);
CREATE VIEW spending AS
SELECT buyer, sum(price) OVER w AS spent, max(due) OVER w AS last_due, bool_or(paid) OVER w AS has_paid
FROM orders WHERE price > 50
WINDOW w AS (PARTITION BY buyer ORDER BY at RANGE INTERVAL '10 minutes' PRECEDING);
"""


def load(*arguments, code: int = 0) -> str:
    done = subprocess.run([LOAD, *map(str, arguments)], capture_output=True, timeout=120, text=True)
    assert done.returncode == code, f"exited {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def measured(server, tmp_path: Path, workload, *arguments, code: int = 0) -> dict:
    path = tmp_path / "load.json"
    load(workload, "--connect", server.address, "--json", path, *SHORT, *arguments, code=code)
    return json.loads(path.read_text())


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("cores", [1, 2])
def test_a_preset_is_answered_rightly(serve, tmp_path, preset, cores):
    server = serve(load(preset, "--print-definitions"), "--cores", cores)
    found = measured(
        server, tmp_path, preset, "--verify", "--verify-rows", 6_000, "--verify-sample", 500, "--batch", 50, "--event-rate", 100,
        "--late", "5%", "--late-by", "90s", "--duplicates", "2%")  # fmt: skip
    verification = found["verification"]
    assert verification["differenceCount"] == 0 and verification["note"] == "", verification
    assert verification["sampledRows"] > 100 and verification["cells"] >= 5 * verification["sampledRows"]
    assert found["sent"] == found["answered"] > 0
    assert found["lost"] == found["failed"] == found["wrong"] == 0


def test_other_definitions_get_rules_by_their_columns(serve, tmp_path):
    server = serve(DEFINITIONS)
    path = tmp_path / "orders.sql"
    path.write_text(DEFINITIONS)
    rules = tmp_path / "rules.txt"
    rules.write_text("-- hot buyers\nbuyer = zipf(200) as buyer #\n")
    found = measured(
        server, tmp_path, path, "--rules", rules, "--rule", "orders.price = normal(60, 20) nulls 5%", "--verify", "--verify-rows",
        5_000, "--event-rate", 50)  # fmt: skip
    assert found["verification"]["differenceCount"] == 0 and found["verification"]["sampledRows"] > 100
    listed = load(path, "--rules", rules, "--print-rules")
    assert "orders.buyer = zipf(200) as buyer #" in listed and "orders.paid = category(true, false*9)" in listed


def test_an_open_loop_keeps_its_rate_on_many_connections(serve, tmp_path):
    server = serve(load("card-fraud", "--print-definitions"))
    found = measured(
        server, tmp_path, "card-fraud", "--rate", "2k", "--batch", 4, "--connections", 40, "--duration", "1s",
        "--mix", "compute=6,ingest=2,evaluate=1,get=1,subscribe=2")  # fmt: skip
    assert found["sent"] == found["answered"] and found["lost"] == found["unsent"] == found["wrong"] == 0
    # Every tenth request is a get, which is no event.
    assert found["sent"] == pytest.approx(2_000 / 4 * 1.1, abs=2)
    kinds = {latency["kind"]: latency["count"] for latency in found["latencies"]}
    assert kinds["compute"] == pytest.approx(300, abs=3) and kinds["get"] == pytest.approx(50, abs=3)
    assert found["subscribers"] == 8 and found["pushes"] > 0 and kinds["subscribe"] > 0


def test_a_server_with_a_past_is_not_verified(serve, tmp_path):
    server = serve(load("iot", "--print-definitions"))
    measured(server, tmp_path, "iot")
    said = load("iot", "--connect", server.address, "--verify", *SHORT, code=1)
    assert "needs a fresh server" in said


def test_a_ramp_finds_a_rate_that_meets_its_goal(serve, tmp_path):
    server = serve(load("card-fraud", "--print-definitions"))
    path = tmp_path / "ramp.json"
    said = load(
        "card-fraud", "--connect", server.address, "--ramp", "--goal", "p50=1s", "--rate", "200k", "--batch", 500, "--duration",
        "300ms", "--warm-up", "0", "--quiet", "--pool", "50k", "--json", path)  # fmt: skip
    assert "met" in said and "missed" in said
    assert json.loads(path.read_text())["intendedEventsPerSecond"] >= 1_000


class Page(html.parser.HTMLParser):
    """Collects what a page would load, and that its tags close."""

    VOID = {"meta", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.links = [], []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_report_is_one_page_with_charts(serve, tmp_path):
    server = serve(load("card-fraud", "--print-definitions"))
    path = tmp_path / "report.html"
    load("card-fraud", "--connect", server.address, "--html", path, "--rate", "10k", "--duration", "3.2s", "--warm-up", "0", "--quiet")
    text = path.read_text()
    page = Page()
    page.feed(text)
    assert page.open == [] and page.links == [] and "http" not in text
    charts = text.split("<svg")[1:]
    assert len(charts) == 4
    for chart in charts:
        tree = xml.etree.ElementTree.fromstring("<svg" + chart.split("</svg>")[0] + "</svg>")
        for line in tree.iter("polyline"):
            points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
            assert len(points) > 1 and all(0 <= x <= 860 and 0 <= y <= 300 for x, y in points)
    assert "Latency by percentile" in text and "p99.9" in text


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["nonsense"], ["nonsense", "the presets are card-fraud, ad-clicks, trades, iot"]),
        (["card-fraud", "--rule", "payments.amount = zapf(3)"], ["--rule", "zapf", "none of time, zipf"]),
        (["card-fraud", "--rule", "payments.amout = time"], ["no column \"amout\"", "amount"]),
        (["card-fraud", "--rule", "payments.declined = zipf(3)"], ["payments.declined is boolean", "zipf"]),
        (["card-fraud", "--weights", "payment=1"], ["no table \"payment\"", "payments"]),
        (["card-fraud", "--view", "cards"], ["no view \"cards\"", "card_risk"]),
        (["trades", "--mix", "get=1"], ["cannot have get"]),
        (["card-fraud", "--connect", "127.0.0.1:1"], ["connect to 127.0.0.1:1", "millrace serve"]),
    ],
)
def test_what_is_wrong_is_said(arguments, words):
    said = load(*arguments, "--pool", "1k", code=1)
    for word in words:
        assert word in said, said


def test_definitions_that_the_server_does_not_have_are_refused(serve):
    server = serve(DEFINITIONS)
    said = load("card-fraud", "--connect", server.address, "--pool", "1k", code=1)
    assert "there is no table \"payments\"; there is orders" in said


def test_a_broken_definitions_file_is_shown_with_its_place(tmp_path):
    path = tmp_path / "broken.sql"
    path.write_text("CREATE TABLE t (ts timestamp);\nSELECT nothing FROM t;\n")
    said = load(path, code=1)
    assert "broken.sql:2:8" in said and "^" in said
