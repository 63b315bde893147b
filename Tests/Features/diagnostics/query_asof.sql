CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
CREATE TABLE merchants (name text PRIMARY KEY, risk integer, country text);
CREATE TABLE limits (card_id bigint, currency text, amount numeric(12,2), PRIMARY KEY (card_id, currency));
CREATE TABLE rates (currency text, since timestamptz NOT NULL, rate double precision);
CREATE VIEW a AS SELECT rate FROM payments p ASOF JOIN rates r ON p.ts >= r.since AND p.amount > r.rate;
CREATE VIEW b AS SELECT rate FROM payments p ASOF LEFT JOIN rates r ON r.currency = p.merchant AND r.since >= p.ts;
CREATE VIEW c AS SELECT rate FROM payments p ASOF LEFT JOIN rates r ON r.currency = p.merchant;
CREATE VIEW d AS SELECT rate FROM payments p ASOF RIGHT JOIN rates r ON p.ts >= r.since;
CREATE VIEW e AS SELECT rate FROM payments p ASOF JOIN rates USING (merchant, ts);
CREATE VIEW f AS SELECT rate FROM payments p ASOF LEFT JOIN rates r ON p.fee >= r.rate;
CREATE VIEW g AS SELECT p.amount FROM payments p ASOF JOIN payments q ON p.card_id = q.card_id AND p.ts > q.ts;
CREATE VIEW i AS SELECT rate FROM payments p ASOF JOIN (SELECT * FROM rates) r ON p.ts >= r.since;
CREATE VIEW j AS SELECT rate FROM payments p ASOF JOIN rates r ON r.currency = p.card_id AND p.ts >= r.since;
