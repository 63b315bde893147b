CREATE TABLE a (x bigint, x text, PRIMARY KEY (y));
CREATE TABLE b (x bigint, PRIMARY KEY (xx));
