CREATE TABLE a (x bigint);
CREATE TABLE a (y bigint);
CREATE VIEW a AS SELECT x FROM a;
