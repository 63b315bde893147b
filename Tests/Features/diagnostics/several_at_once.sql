CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SELECT crd_id, amount + merchant AS a, count(*) OVER (PARTITION BY card_id ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS n, sum(amout) OVER (PARTITION BY card_id ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS s,
  avg(amount) OVER nowhere AS v
FROM payments;
CREATE VIEW other AS SELECT nothing FROM nowhere;
CREATE TABLE broken (x wrong);
CREATE VIEW reads_broken AS SELECT x FROM broken;
