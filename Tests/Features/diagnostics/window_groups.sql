CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT sum(amount) OVER (PARTITION BY card_id ORDER BY ts GROUPS INTERVAL '1 hour' PRECEDING) AS s,
  count(*) OVER (PARTITION BY card_id ORDER BY ts GROUPS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS n FROM payments;
