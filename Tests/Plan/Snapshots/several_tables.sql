CREATE TABLE views (ts timestamp NOT NULL, uid bigint NOT NULL, item text NOT NULL) WITH (lateness = '5 minutes');
CREATE TABLE buys (ts timestamp NOT NULL, uid bigint NOT NULL, item text NOT NULL, cents bigint NOT NULL);
CREATE TABLE items (item text PRIMARY KEY, dept text, price bigint NOT NULL);
CREATE TABLE plans (uid bigint NOT NULL, since timestamp NOT NULL, plan text NOT NULL);

CREATE VIEW dept_counts AS
  SELECT b.ts, b.uid, i.dept, count(*) OVER (PARTITION BY i.dept ORDER BY b.ts) AS sold
  FROM buys b LEFT JOIN items i ON i.item = b.item;

CREATE VIEW how_often AS
  SELECT ts, sold, count(*) OVER (PARTITION BY sold ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS times
  FROM dept_counts;

CREATE VIEW events AS
  SELECT e.uid, p.plan,
    sum(e.cents) OVER (PARTITION BY e.uid ORDER BY e.ts RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW) AS spent_1d
  FROM (SELECT ts, uid, NULL::bigint AS cents FROM views UNION ALL SELECT ts, uid, cents FROM buys) e
  ASOF LEFT JOIN plans p ON p.uid = e.uid AND p.since <= e.ts;
