CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT array_agg(merchant ORDER BY merchant) OVER w AS a, array_agg(DISTINCT merchant) OVER w AS b, list(amount) OVER w || 1 AS c,
  array_agg(amount) OVER w IS NULL AS d, json_agg(amount) OVER w AS e, array_agg(amount, 2) OVER w AS f
FROM payments WINDOW w AS (PARTITION BY card_id ORDER BY ts ROWS 9 PRECEDING);
