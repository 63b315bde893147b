CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT card_id, (SELECT max(amount) FROM payments) AS m FROM payments WHERE card_id IN (SELECT card_id FROM payments) AND EXISTS (SELECT 1);
