CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT sum(amount) OVER (PARTITION BY card_id ORDER BY ts RANGE BETWEEN INTERVAL '-1 hour' PRECEDING AND CURRENT ROW) AS s,
  sum(amount) OVER (PARTITION BY card_id ORDER BY ts ROWS -5 PRECEDING) AS r FROM payments;
