CREATE TABLE a (ts timestamp NOT NULL, x double precision) WITH (event_time = tss);
CREATE TABLE b (ts timestamp NOT NULL) WITH (lateness = 5, idle_after = '3 months', max_ahead = 'soon');
CREATE TABLE c (t bigint NOT NULL) WITH (event_time = t, lateness = '5 minutes', max_ahead = '1 minute');
CREATE TABLE d (t double precision) WITH (event_time = t);
