CREATE TABLE a (x bigint;
SELECT (1 + 2 AS y FROM a;
