CREATE TABLE a (x bigint)
SELECT x FROM a;
