extension Preset {
    static let sensors = Preset(
        name: "iot",
        summary: "sensor readings with text keys: averages, spread and trend per sensor, and its limits from a table of devices",
        sql: """
            -- Readings of sensors: how far each is from its own past, and from the limit that its device has.

            CREATE TABLE devices (
              sensor   text PRIMARY KEY,
              site     text             NOT NULL,
              celsius_limit double precision NOT NULL
            );
            CREATE TABLE readings (
              ts       timestamp        NOT NULL,
              sensor   text             NOT NULL,
              celsius  double precision NOT NULL,
              humidity real,
              battery  smallint         NOT NULL
            ) WITH (lateness = '10 minutes');

            CREATE VIEW sensor_state AS
            SELECT r.ts, r.sensor, d.site,
                   r.celsius > d.celsius_limit                                  AS too_hot,
                   avg(celsius)                                OVER last_5m     AS celsius_5m,
                   (r.celsius - avg(celsius) OVER last_1h)
                     / NULLIF(stddev(celsius) OVER last_1h, 0)                  AS celsius_deviations,
                   min(celsius)                                OVER last_24h    AS coldest_24h,
                   max(celsius)                                OVER last_24h    AS hottest_24h,
                   count(humidity)                             OVER last_1h     AS humidity_readings_1h,
                   r.celsius - lag(celsius)                    OVER by_sensor   AS celsius_change,
                   first_value(battery)                        OVER last_24h - r.battery AS battery_used_24h,
                   extract(epoch FROM r.ts - lag(r.ts)         OVER by_sensor)  AS seconds_silent
            FROM readings r LEFT JOIN devices d ON d.sensor = r.sensor
            WINDOW by_sensor AS (PARTITION BY r.sensor ORDER BY r.ts),
                   last_5m   AS (by_sensor RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW),
                   last_1h   AS (by_sensor RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW),
                   last_24h  AS (by_sensor RANGE BETWEEN INTERVAL '24 hours' PRECEDING AND CURRENT ROW);
            """,
        rules: """
            sensor            = zipf(50000, 0.6) as sensor-#
            site              = zipf(200) as site-#
            celsius_limit     = normal(30, 2)
            celsius           = normal(21, 4)
            humidity          = normal(55, 10) nulls 10%
            battery           = uniform(0, 100)
            """,
        weights: ["devices": 0.001])
}
