CREATE TABLE logins (at timestamp NOT NULL, account text NOT NULL, ip text, success boolean NOT NULL)
  WITH (lateness = '5 minutes', max_ahead = '1 minute', idle_after = '30 days');

CREATE VIEW failures AS
SELECT at, account, count(*) OVER w AS failures_1h, max(ip) OVER w AS last_ip
FROM logins WHERE NOT success
WINDOW w AS (PARTITION BY account ORDER BY at RANGE INTERVAL '1 hour' PRECEDING);

CREATE VIEW many_failures AS
SELECT account, failures_1h FROM failures WHERE failures_1h >= 5;

CREATE VIEW attempts AS
SELECT account, lower(ip) AS ip, count(*) OVER (PARTITION BY account ORDER BY at RANGE INTERVAL '1 hour' PRECEDING) AS attempts_1h
FROM logins;
