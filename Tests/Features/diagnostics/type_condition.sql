CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT CASE WHEN amount THEN 1 ELSE 0 END AS c, NOT card_id AS n FROM payments WHERE card_id;
