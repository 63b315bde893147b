CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT string_agg(amount, ',') OVER w AS a, string_agg(merchant, merchant) OVER w AS b, string_agg(merchant, ',' ORDER BY merchant) OVER w AS c,
  bit_and(declined) OVER w AS d, bit_or(amount) OVER w AS e, corr(amount) OVER w AS f, arg_max(merchant, declined) OVER w AS g,
  count_if(amount) OVER w AS h, first(amount) FILTER (WHERE declined) OVER w AS i, geomean(amount) OVER w AS j, rank(amount) OVER w AS k
FROM payments WINDOW w AS (PARTITION BY card_id ORDER BY ts);
