CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT card_id, count(*) OVER h AS n FROM payments
WINDOW h AS (card RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW), card AS (PARTITION BY card_id ORDER BY ts);
