CREATE TABLE readings (day date NOT NULL, meter integer NOT NULL, watts numeric(10,2));

SELECT day, meter,
       sum(watts) OVER (PARTITION BY meter ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS last_seven,
       avg(watts) OVER (PARTITION BY meter ORDER BY day RANGE BETWEEN INTERVAL '14 days' PRECEDING AND INTERVAL '7 days' PRECEDING) AS week_before,
       CASE WHEN watts > 100 THEN 'high' ELSE 'low' END AS level
FROM readings;
