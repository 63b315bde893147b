CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
CREATE TABLE merchants (name text PRIMARY KEY, risk integer, country text);
CREATE TABLE limits (card_id bigint, currency text, amount numeric(12,2), PRIMARY KEY (card_id, currency));
CREATE TABLE rates (currency text, since timestamptz NOT NULL, rate double precision);
CREATE VIEW a AS SELECT card_id, (SELECT max(amount) FROM payments) AS m FROM payments;
CREATE VIEW b AS SELECT card_id FROM payments WHERE card_id IN (SELECT card_id FROM limits) AND EXISTS (SELECT 1);
CREATE VIEW c AS SELECT (SELECT max(rate) FROM rates) AS m, (SELECT rate FROM rates r WHERE r.since <= ts) AS n,
  (SELECT name, risk FROM merchants WHERE name = merchant) AS o, (SELECT risk FROM merchants WHERE risk = 1) AS p FROM payments;
CREATE VIEW d AS SELECT sum(amount) OVER (PARTITION BY card_id ORDER BY (SELECT since FROM rates r WHERE r.since <= ts ORDER BY since DESC LIMIT 1)) AS s FROM payments;
