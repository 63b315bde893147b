CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT card_id, max(n) OVER (PARTITION BY card_id ORDER BY ts) AS most,
  count(*) OVER (PARTITION BY n ORDER BY ts) AS same
FROM (SELECT ts, card_id, count(*) OVER (PARTITION BY card_id ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS n FROM payments) f;
