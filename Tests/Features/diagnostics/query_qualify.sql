CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
CREATE VIEW a AS SELECT card_id FROM payments QUALIFY (card_id);
CREATE VIEW b AS SELECT card_id FROM payments QUALIFY amount;
CREATE VIEW c AS SELECT card_id FROM payments QUALIFY sum(amount) > 2;
CREATE VIEW d AS SELECT card_id QUALIFY card_id > 1 FROM payments;
CREATE VIEW e AS SELECT card_id, n AS m FROM payments QUALIFY x > 1, 2;
CREATE VIEW f AS SELECT card_id, lag(amount) OVER w AS before FROM payments QUALIFY befor > 1 WINDOW w AS (PARTITION BY card_id ORDER BY ts);
CREATE VIEW g AS SELECT card_id FROM payments QUALIFY amount > > 1;
