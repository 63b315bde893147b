CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT count(*) OVER (PARTITION BY card_id ORDER BY ts NULLS FIRST) AS n FROM payments;
