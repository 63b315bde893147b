CREATE TABLE a (x bigint DEFAULT 5, y bigint CHECK (y > 0), z bigint REFERENCES b, u bigint UNIQUE, PRIMARY KEY (x));
