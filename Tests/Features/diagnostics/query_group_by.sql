CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT card_id, count(*) AS n FROM payments GROUP BY card_id HAVING count(*) > 5;
