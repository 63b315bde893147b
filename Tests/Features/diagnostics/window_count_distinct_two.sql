CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT count(DISTINCT card_id, merchant) OVER (PARTITION BY card_id ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS n, median(DISTINCT amount) OVER (PARTITION BY card_id ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS s, count() OVER (PARTITION BY card_id ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS c FROM payments;
