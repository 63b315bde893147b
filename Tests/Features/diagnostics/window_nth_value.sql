CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT nth_value(amount, 0) OVER w AS a, nth_value(amount, card_id) OVER w AS b, lag(amount, card_id) OVER w AS c, lag() OVER w AS d FROM payments
WINDOW w AS (PARTITION BY card_id ORDER BY ts);
