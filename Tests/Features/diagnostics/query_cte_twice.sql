CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
WITH a AS (SELECT card_id FROM payments), a AS (SELECT amount FROM payments) SELECT * FROM a;
