CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT sum(amount) OVER (PARTITION BY card_id ORDER BY ts GROUPS 2 PRECEDING) AS s,
  count(*) OVER (PARTITION BY card_id ORDER BY ts ROWS 3 PRECEDING EXCLUDE TIES) AS n,
  count(*) OVER (PARTITION BY card_id ORDER BY ts ROWS UNBOUNDED PRECEDING EXCLUDE GROUP) AS m FROM payments;
