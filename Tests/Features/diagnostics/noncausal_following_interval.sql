CREATE TABLE t (event_id bigint NOT NULL, k integer NOT NULL, v integer, ts timestamp NOT NULL);
SELECT event_id,
  sum(v) OVER (PARTITION BY k ORDER BY ts
    RANGE BETWEEN CURRENT ROW AND INTERVAL '1 hour' FOLLOWING) AS s
FROM t;
