CREATE TABLE doors (opened timestamp NOT NULL, closed timestamp NOT NULL, badge bigint) WITH (event_time = opened);
SELECT count(*) OVER (PARTITION BY badge ORDER BY closed) AS n FROM doors;
