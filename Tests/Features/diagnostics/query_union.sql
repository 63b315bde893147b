CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
CREATE TABLE merchants (name text PRIMARY KEY, risk integer, country text);
CREATE TABLE limits (card_id bigint, currency text, amount numeric(12,2), PRIMARY KEY (card_id, currency));
CREATE TABLE rates (currency text, since timestamptz NOT NULL, rate double precision);
CREATE VIEW a AS SELECT card_id FROM payments UNION ALL SELECT card_id FROM payments;
CREATE VIEW b AS SELECT amount FROM payments UNION SELECT rate FROM rates;
CREATE VIEW c AS SELECT merchant FROM payments EXCEPT SELECT name FROM merchants;
CREATE VIEW d AS SELECT ts, amount FROM payments UNION ALL SELECT since, currency FROM rates;
CREATE VIEW e AS SELECT ts, amount FROM payments UNION ALL SELECT since FROM rates;
CREATE VIEW f AS SELECT ts, amount FROM payments UNION ALL SELECT since, rate FROM rates ORDER BY ts LIMIT 5;
CREATE VIEW g AS SELECT count(*) OVER (ORDER BY t) AS n FROM (SELECT ts AS t FROM payments UNION ALL SELECT since + INTERVAL '1 day' FROM rates) u;
CREATE VIEW h AS SELECT ts, 1 + amount FROM payments UNION ALL SELECT since, rate FROM rates;
CREATE VIEW i AS SELECT ts, country FROM payments JOIN merchants m ON m.name = merchant UNION ALL SELECT NULL, name FROM merchants;
CREATE VIEW j AS SELECT amount, merchant FROM payments UNION ALL SELECT 'much', name FROM merchants;
