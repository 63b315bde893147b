CREATE TABLE t (event_id bigint NOT NULL, k integer NOT NULL, v integer, ts timestamp NOT NULL);
SELECT event_id, cume_dist() OVER (PARTITION BY k ORDER BY ts) AS c,
  percent_rank() OVER (PARTITION BY k ORDER BY ts) AS p FROM t;
