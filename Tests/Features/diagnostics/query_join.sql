CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
CREATE TABLE cards (card_id bigint PRIMARY KEY, owner text);
SELECT p.card_id, c.owner FROM payments p LEFT JOIN cards c ON c.card_id = p.card_id;
