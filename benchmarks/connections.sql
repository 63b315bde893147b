-- What `make connections` serves. Event time is in milliseconds of the run; what is kept is bounded by it.
CREATE TABLE events (
  ts         bigint           NOT NULL,
  connection bigint           NOT NULL,
  amount     double precision NOT NULL
) WITH (lateness = 10000);

CREATE VIEW per_connection AS
SELECT ts, connection, count(*) OVER last_5s AS events, sum(amount) OVER last_5s AS amount
FROM events
WINDOW last_5s AS (PARTITION BY connection ORDER BY ts RANGE BETWEEN 4999 PRECEDING AND CURRENT ROW);
