CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
CREATE TABLE merchants (name text PRIMARY KEY, risk integer, country text);
CREATE TABLE limits (card_id bigint, currency text, amount numeric(12,2), PRIMARY KEY (card_id, currency));
CREATE TABLE rates (currency text, since timestamptz NOT NULL, rate double precision);
CREATE VIEW a AS SELECT x.rate FROM payments p LEFT JOIN LATERAL (SELECT rate FROM rates r WHERE r.currency = p.merchant ORDER BY r.since DESC LIMIT 1) x ON TRUE;
CREATE VIEW b AS SELECT x.rate FROM payments p LEFT JOIN LATERAL (SELECT rate FROM rates r WHERE r.since <= p.ts ORDER BY r.since LIMIT 1) x ON TRUE;
CREATE VIEW c AS SELECT x.rate FROM payments p LEFT JOIN LATERAL (SELECT rate FROM rates r WHERE r.since <= p.ts ORDER BY r.since DESC) x ON TRUE;
CREATE VIEW d AS SELECT x.rate FROM payments p LEFT JOIN LATERAL (SELECT rate FROM rates r WHERE r.since <= p.ts ORDER BY r.since DESC LIMIT 2) x ON TRUE;
CREATE VIEW e AS SELECT x.rate FROM payments p LEFT JOIN LATERAL (SELECT rate FROM rates r WHERE r.since <= p.ts AND r.rate > p.amount ORDER BY r.since DESC LIMIT 1) x ON TRUE;
CREATE VIEW f AS SELECT x.rate FROM payments p LEFT JOIN LATERAL (SELECT rate FROM rates r WHERE r.since <= p.ts ORDER BY r.rate + 1 DESC LIMIT 1) x ON TRUE;
CREATE VIEW g AS SELECT x.rate FROM payments p LEFT JOIN LATERAL (SELECT max(rate) AS rate FROM rates r WHERE r.since <= p.ts) x ON TRUE;
CREATE VIEW h AS SELECT x.n FROM payments p, LATERAL (SELECT 1 AS n) x;
CREATE VIEW i AS SELECT x.rate FROM payments p JOIN LATERAL (SELECT rate FROM rates r WHERE r.since <= p.ts ORDER BY r.since DESC, rate DESC LIMIT 1 OFFSET 1) x ON TRUE;
CREATE VIEW j AS SELECT x.rate FROM payments p JOIN LATERAL (SELECT max(r.rate) AS rate FROM rates r WHERE r.since <= p.ts ORDER BY r.since DESC LIMIT 1) x ON TRUE;
CREATE VIEW k AS SELECT x.rate FROM payments p JOIN LATERAL (SELECT rate FROM rates r JOIN merchants m ON m.name = r.currency WHERE r.since <= p.ts ORDER BY r.since DESC LIMIT 1) x ON TRUE;
