CREATE TABLE t (event_id bigint NOT NULL, k integer NOT NULL, v integer, ts timestamp NOT NULL);
SELECT event_id, rank() OVER (PARTITION BY k ORDER BY v DESC) AS r FROM t;
