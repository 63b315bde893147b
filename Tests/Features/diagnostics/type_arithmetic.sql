CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT amount + merchant AS a, declined * 2 AS b, merchant + merchant AS c, ts + ts AS d, 2 / INTERVAL '1 day' AS e, - merchant AS f FROM payments;
