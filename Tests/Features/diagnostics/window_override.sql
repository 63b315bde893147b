CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT count(*) OVER (card PARTITION BY merchant) AS a, count(*) OVER (card ORDER BY amount) AS b,
  count(*) OVER (framed) AS c, count(*) OVER (framed ROWS 5 PRECEDING) AS d FROM payments
WINDOW card AS (PARTITION BY card_id ORDER BY ts), framed AS (card ROWS 3 PRECEDING);
