CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT ts + INTERVAL '5 minuets' AS t, INTERVAL 5 DAY AS d FROM payments;
