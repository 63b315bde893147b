CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT CASE WHEN declined THEN 'no' ELSE amount END AS c, coalesce(amount, declined) AS d FROM payments;
