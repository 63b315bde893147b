CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
CREATE TABLE q (card_id bigint, ts timestamptz);
CREATE VIEW a AS SELECT p.card_id FROM payments p ASOF LEFT JOIN q ON p.card_id = q.card_id AND p.ts >= q.ts;
CREATE VIEW b AS SELECT card_id FROM payments ASOF JOIN q USING (card_id, ts);
