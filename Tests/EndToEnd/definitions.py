"""Definitions that several tests share, and rows for them."""

from __future__ import annotations

import datetime

import pyarrow as pa

PAYMENTS = """
CREATE TABLE payments (
  ts       timestamptz      NOT NULL,
  card_id  bigint           NOT NULL,
  amount   double precision,
  merchant text             NOT NULL
);
CREATE VIEW card_hour AS
SELECT ts, card_id,
       count(*)    OVER hour AS payments_1h,
       sum(amount) OVER hour AS spent_1h
FROM payments
WINDOW hour AS (PARTITION BY card_id ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);
"""

SECOND_VIEW = """
CREATE VIEW merchant_day AS
SELECT ts, merchant, count(*) OVER (PARTITION BY merchant ORDER BY ts
                                    RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW) AS payments_1d
FROM payments;
"""

# Long past, so that no row is ahead of the server's clock.
START = datetime.datetime(2024, 1, 5, 12, tzinfo=datetime.timezone.utc)


def at(minutes: float) -> datetime.datetime:
    return START + datetime.timedelta(minutes=minutes)


def payments(*rows: tuple) -> pa.Table:
    """Rows of (minutes after START, card, amount) or (minutes, card, amount, merchant)."""
    full = [(*row, "shop")[:4] for row in rows]
    return pa.table(
        {
            "ts": pa.array([at(row[0]) for row in full], pa.timestamp("us", "UTC")),
            "card_id": pa.array([row[1] for row in full], pa.int64()),
            "amount": pa.array([row[2] for row in full], pa.float64()),
            "merchant": pa.array([row[3] for row in full], pa.string()),
        }
    )
