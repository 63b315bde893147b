CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT median(merchant) OVER w AS a, quantile_cont(amount, 95) OVER w AS b, percentile_cont(0.5) OVER w AS c,
  percentile_disc(0.5) WITHIN GROUP (ORDER BY amount DESC) OVER w AS d, quantile_cont(amount, amount) OVER w AS e,
  sum(amount) WITHIN GROUP (ORDER BY amount) OVER w AS f, mode(amount) WITHIN GROUP (ORDER BY ts) OVER w AS g, median(ts) OVER w AS h,
  approx_quantile(amount, 0.5) OVER w AS i, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount, ts) OVER w AS j
FROM payments WINDOW w AS (PARTITION BY card_id ORDER BY ts);
