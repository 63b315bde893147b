CREATE TABLE t (event_id bigint NOT NULL, k integer NOT NULL, v integer, ts timestamp NOT NULL);
SELECT DISTINCT ON (k) event_id, v FROM t ORDER BY k, ts DESC;
