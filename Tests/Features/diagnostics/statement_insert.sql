CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
INSERT INTO payments VALUES (1);
DROP TABLE payments;
CREATE INDEX i ON payments (card_id);
SET search_path = app;
