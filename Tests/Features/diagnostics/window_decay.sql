CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT decayed_sum(amount) OVER w AS a, decayed_sum(amount, INTERVAL '1 month') OVER w AS b, decayed_count(INTERVAL '0 s') OVER w AS c,
  decayed_sum(amount, 60) OVER w AS d, decayed_sum(merchant, INTERVAL '1 hour') OVER w AS e, decayed_sum(amount, ts - ts) OVER w AS f
FROM payments WINDOW w AS (PARTITION BY card_id ORDER BY ts);
