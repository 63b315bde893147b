CREATE TABLE doors (opened timestamp NOT NULL, closed timestamp NOT NULL, badge bigint);
CREATE VIEW by_opened AS SELECT count(*) OVER (PARTITION BY badge ORDER BY opened) AS n FROM doors;
CREATE VIEW by_closed AS SELECT count(*) OVER (PARTITION BY badge ORDER BY closed) AS n FROM doors;
