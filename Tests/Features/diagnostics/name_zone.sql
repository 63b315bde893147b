CREATE TABLE payments (
  ts timestamptz NOT NULL, card_id bigint NOT NULL, merchant text, amount double precision NOT NULL, fee numeric(12,4), declined boolean
);
SET TimeZone = 'Europe/Ber lin';
SELECT ts AT TIME ZONE '+02:00' AS local FROM payments;
