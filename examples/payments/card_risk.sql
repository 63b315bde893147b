-- Card payments and the features that a fraud rule wants of each, the moment it happens.

CREATE TABLE payments (
  ts          timestamptz      NOT NULL,
  card_id     bigint           NOT NULL,
  terminal_id bigint           NOT NULL,
  amount      double precision NOT NULL,
  fraud       boolean          NOT NULL   -- found out within a week: only frames that end a week ago may read it
);

CREATE VIEW card_risk AS
WITH features AS (
  SELECT ts, card_id, terminal_id, amount,
         count(*)                           OVER hour                     AS payments_1h,
         count(*)                           OVER day                      AS payments_24h,
         sum(amount)                        OVER day                      AS spent_24h,
         amount / NULLIF(avg(amount)        OVER month, 0)                AS amount_vs_usual,
         count(DISTINCT terminal_id)        OVER week                     AS terminals_7d,
         extract(epoch FROM ts - lag(ts)    OVER card)                    AS seconds_since_last,
         COALESCE(avg(CASE WHEN fraud THEN 1 ELSE 0 END) OVER reported, 0) AS terminal_fraud_rate
  FROM payments
  WINDOW card     AS (PARTITION BY card_id ORDER BY ts),
         hour     AS (card RANGE BETWEEN INTERVAL '1 hour'  PRECEDING AND CURRENT ROW),
         day      AS (card RANGE BETWEEN INTERVAL '1 day'   PRECEDING AND CURRENT ROW),
         week     AS (card RANGE BETWEEN INTERVAL '7 days'  PRECEDING AND CURRENT ROW),
         month    AS (card RANGE BETWEEN INTERVAL '30 days' PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW),
         reported AS (PARTITION BY terminal_id ORDER BY ts
                      RANGE BETWEEN INTERVAL '28 days' PRECEDING AND INTERVAL '7 days' PRECEDING)
)
SELECT ts, card_id, terminal_id, amount, payments_24h, spent_24h, amount_vs_usual, terminals_7d, seconds_since_last,
       terminal_fraud_rate,
       LEAST(100,
             CASE WHEN amount > 220             THEN 60 ELSE 0 END
           + CASE WHEN amount_vs_usual > 3      THEN 45 WHEN amount_vs_usual > 2 THEN 15 ELSE 0 END
           + CASE WHEN terminal_fraud_rate > 0.2 THEN 60 ELSE 0 END
           + CASE WHEN payments_1h > 3          THEN 20 ELSE 0 END) AS risk
FROM features;
