CREATE TABLE payments (
  ts          timestamptz NOT NULL,
  card_id     bigint      NOT NULL,
  merchant_id bigint      NOT NULL,
  amount      double precision NOT NULL,
  declined    boolean     NOT NULL
);

CREATE VIEW card_risk AS
SELECT ts, card_id,
       count(*)                            OVER last_10m AS payments_10m,
       count(*) FILTER (WHERE declined)    OVER last_1h  AS declined_1h,
       count(DISTINCT merchant_id)         OVER last_7d  AS merchants_7d,
       extract(epoch FROM ts - lag(ts)     OVER card)    AS seconds_since_last,
       amount / NULLIF(avg(amount) OVER last_30d, 0)     AS amount_vs_own_average,
       sum(amount)                         OVER shop_1h  AS merchant_turnover_1h
FROM payments
WINDOW card     AS (PARTITION BY card_id ORDER BY ts),
       last_10m AS (card RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW),
       last_1h  AS (card RANGE BETWEEN INTERVAL '1 hour'  PRECEDING AND CURRENT ROW),
       last_7d  AS (card RANGE BETWEEN INTERVAL '7 days'  PRECEDING AND CURRENT ROW),
       last_30d AS (card RANGE BETWEEN INTERVAL '30 days' PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW),
       shop_1h  AS (PARTITION BY merchant_id ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);
