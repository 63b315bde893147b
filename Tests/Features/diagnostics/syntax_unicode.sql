CREATE TABLE müller (größe bigint, 名前 text);
SELECT größe, 名前 || größ AS x, 'žluť' || 名 AS y FROM müller;
