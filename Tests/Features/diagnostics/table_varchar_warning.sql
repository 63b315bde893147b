CREATE TABLE a (x varchar(20), y timestamp(9), z numeric(40,2), w interval, v integer[]);
