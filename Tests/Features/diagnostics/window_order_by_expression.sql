CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT count(*) OVER (PARTITION BY card_id ORDER BY date_trunc('hour', ts)) AS n, count(*) OVER (ORDER BY amount) AS m FROM payments;
