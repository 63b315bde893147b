CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
CREATE VIEW a AS SELECT sum(amount IGNORE NULLS) OVER (PARTITION BY card_id ORDER BY ts) AS m FROM payments;
CREATE VIEW b AS SELECT row_number() IGNORE NULLS OVER (PARTITION BY card_id ORDER BY ts) AS m FROM payments;
CREATE VIEW c AS SELECT (amount) IGNORE NULLS FROM payments;
CREATE VIEW d AS SELECT lower(merchant) RESPECT NULLS AS m FROM payments;
CREATE VIEW e AS SELECT lag(amount IGNORE NULLS, 1) OVER (PARTITION BY card_id ORDER BY ts) AS m FROM payments;
