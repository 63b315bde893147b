"""Cost of an event against the number of events in its window, as SVG: both axes logarithmic, one line a function."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 900, 560
LEFT, RIGHT, TOP, BOTTOM = 70, 210, 50, 60
COLOURS = ("#1b6ca8", "#c0392b", "#27824a", "#8e44ad", "#d35400", "#16a085", "#7f6000", "#2c3e50", "#ad1457", "#5d6d7e")
SHOWN = (
    "count(*)", "sum(bigint)", "sum(double)", "avg(double)", "stddev(x)", "max(x)", "lag(x)", "first_value(x)", "count(DISTINCT n)",
    "median(x)",
)  # fmt: skip
LABEL_GAP = 15


def plot(result: dict) -> str:
    rows = [row for row in result["results"]["rows"] if row["name"] in SHOWN and len(row["byPopulation"]) > 1]
    lines = {row["name"]: sorted((int(events), cost) for events, cost in row["byPopulation"].items()) for row in rows}
    if not lines:
        return frame([])
    events = [point[0] for line in lines.values() for point in line]
    costs = [point[1] for line in lines.values() for point in line]
    low, high = 10 ** math.floor(math.log10(min(costs))), 10 ** math.ceil(math.log10(max(costs)))

    def x(value: float) -> float:
        return LEFT + share(value, min(events), max(events)) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - share(value, low, high) * (HEIGHT - TOP - BOTTOM)

    parts = []
    for tick in decades(low, high):
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/>')
        parts.append(text(LEFT - 8, y(tick) + 4, f"{tick:,.0f}", anchor="end"))
    for tick in decades(min(events), max(events)):
        parts.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#eee"/>')
        parts.append(text(x(tick), HEIGHT - BOTTOM + 18, f"{tick:,}", anchor="middle"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "events in the window of one key", anchor="middle"))

    below = -math.inf
    for colour, (name, line) in zip(COLOURS, sorted(lines.items(), key=lambda item: -item[1][-1][1])):
        points = " ".join(f"{x(count):.1f},{y(cost):.1f}" for count, cost in line)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(count):.1f}" cy="{y(cost):.1f}" r="3" fill="{colour}"/>' for count, cost in line]
        below = max(below + LABEL_GAP, y(line[-1][1]) + 4)
        parts.append(text(WIDTH - RIGHT + 10, below, f"{name}  {line[-1][1]:.0f} ns", colour=colour))
    return frame(parts)


def share(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)


def decades(low: float, high: float) -> list[int]:
    return [10**power for power in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)]


def text(x: float, y: float, content: str, anchor: str = "start", colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(content)}</text>'


def frame(parts: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
        f'<text x="{LEFT}" y="26" font-size="15" fill="#111">Nanoseconds per event, engine alone, by events in the window</text>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"
