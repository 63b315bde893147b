extension Preset {
    static let cardFraud = Preset(
        name: "card-fraud",
        summary: "card payments: velocities, distinct merchants and averages per card, turnover per merchant",
        sql: """
            -- Card payments, and what a fraud rule wants to know of each the moment it happens.

            CREATE TABLE payments (
              ts          timestamptz      NOT NULL,
              card_id     bigint           NOT NULL,
              merchant_id bigint           NOT NULL,
              amount      double precision NOT NULL,
              declined    boolean          NOT NULL
            );

            CREATE VIEW card_risk AS
            SELECT ts, card_id,
                   count(*)                            OVER last_10m AS payments_10m,
                   count(*)                            OVER last_1h  AS payments_1h,
                   sum(amount)                         OVER last_1h  AS spent_1h,
                   count(*) FILTER (WHERE declined)    OVER last_1h  AS declined_1h,
                   max(amount)                         OVER last_24h AS largest_24h,
                   count(DISTINCT merchant_id)         OVER last_24h AS merchants_24h,
                   extract(epoch FROM ts - lag(ts)     OVER card)    AS seconds_since_last,
                   amount / NULLIF(avg(amount) OVER before_24h, 0)   AS amount_vs_own_average,
                   sum(amount)                         OVER shop_1h  AS merchant_turnover_1h
            FROM payments
            WINDOW card       AS (PARTITION BY card_id ORDER BY ts),
                   last_10m   AS (card RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW),
                   last_1h    AS (card RANGE BETWEEN INTERVAL '1 hour'  PRECEDING AND CURRENT ROW),
                   last_24h   AS (card RANGE BETWEEN INTERVAL '24 hours' PRECEDING AND CURRENT ROW),
                   before_24h AS (card RANGE BETWEEN INTERVAL '24 hours' PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW),
                   shop_1h    AS (PARTITION BY merchant_id ORDER BY ts
                                  RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);
            """,
        rules: """
            payments.card_id     = zipf(1000000)
            payments.merchant_id = zipf(50000)
            payments.amount      = normal(42, 12)
            payments.declined    = category(true*5, false*95)
            """,
        weights: [:])
}
