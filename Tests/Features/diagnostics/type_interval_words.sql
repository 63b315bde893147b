CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT ts + INTERVAL '5 minuets' AS t, DATE '2024-02-30' AS d FROM payments;
