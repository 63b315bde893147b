CREATE TABLE a (ts timestamp NOT NULL, x bigint) WITH (latness = '5 minutes', colour = 'blue');
