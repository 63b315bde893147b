CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
CREATE TABLE merchants (name text PRIMARY KEY, risk integer, country text);
CREATE TABLE limits (card_id bigint, currency text, amount numeric(12,2), PRIMARY KEY (card_id, currency));
CREATE TABLE rates (currency text, since timestamptz NOT NULL, rate double precision);
CREATE VIEW a AS SELECT rate FROM payments p LEFT JOIN rates r ON r.currency = p.merchant;
CREATE VIEW b AS SELECT p.amount FROM payments p LEFT JOIN limits l ON l.card_id = p.card_id;
CREATE VIEW c AS SELECT risk FROM merchants m RIGHT JOIN payments p ON m.name = p.merchant;
CREATE VIEW d AS SELECT risk FROM payments p FULL JOIN merchants m ON m.name = p.merchant;
CREATE VIEW e AS SELECT risk FROM payments CROSS JOIN merchants;
CREATE VIEW f AS SELECT risk FROM payments NATURAL JOIN merchants;
CREATE VIEW g AS SELECT risk FROM payments p JOIN (SELECT * FROM merchants) m ON m.name = p.merchant;
CREATE VIEW h AS SELECT q.amount FROM payments p LEFT JOIN payments q ON q.card_id = p.card_id;
CREATE VIEW i AS SELECT risk FROM payments p LEFT JOIN (merchants m JOIN limits l ON l.currency = m.name) ON m.name = p.merchant;
CREATE VIEW j AS SELECT card_id FROM payments p JOIN limits l ON l.card_id = p.card_id AND l.currency = 'eur';
CREATE VIEW k AS SELECT risk FROM payments m JOIN merchants m ON m.name = m.merchant;
CREATE VIEW l AS SELECT risk FROM payments JOIN merchants USING (name);
CREATE VIEW m AS SELECT risk FROM payments p JOIN merchants m ON m.name = p.merchant AND count(*) OVER (ORDER BY p.ts) > 2;
CREATE VIEW n AS SELECT risk FROM payments p JOIN a ON a.rate = p.amount;
CREATE VIEW o AS SELECT risk FROM payments p JOIN limits l ON l.card_id = p.amount AND l.currency = 'eur';
CREATE VIEW p AS SELECT risk FROM merchants m JOIN payments p ON m.name = p.merchant;
CREATE VIEW q AS SELECT country FROM payments p JOIN merchants m ON m.name = p.merchant AND m.nick = 'x';
