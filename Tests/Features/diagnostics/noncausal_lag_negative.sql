CREATE TABLE t (event_id bigint NOT NULL, k integer NOT NULL, v integer, ts timestamp NOT NULL);
SELECT event_id, lag(v, -1) OVER (PARTITION BY k ORDER BY ts) AS next_v FROM t;
