CREATE TABLE a (ts timestmp NOT NULL, id uuid, body jsonb, price numeric, code char(3), n bigserial);
