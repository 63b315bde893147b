CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT lower(card_id) AS l, sqrt(merchant) AS s, abs(declined) AS a, length() AS n FROM payments;
