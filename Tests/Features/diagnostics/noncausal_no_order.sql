CREATE TABLE t (event_id bigint NOT NULL, k integer NOT NULL, v integer, ts timestamp NOT NULL);
SELECT event_id, count(*) OVER (PARTITION BY k) AS n FROM t;
