CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
WITH RECURSIVE r AS (SELECT card_id FROM payments) SELECT card_id FROM r;
