extension Preset {
    static let adClicks = Preset(
        name: "ad-clicks",
        summary: "impressions and clicks put together: frequency caps per user, click rates and spend per campaign",
        sql: """
            -- Impressions and clicks of advertisements: how often a user has seen a campaign, and how well it does.

            CREATE TABLE impressions (
              ts          timestamptz   NOT NULL,
              user_id     bigint        NOT NULL,
              campaign_id integer       NOT NULL,
              site        text          NOT NULL,
              cost        numeric(10,4) NOT NULL
            );
            CREATE TABLE clicks (
              ts          timestamptz   NOT NULL,
              user_id     bigint        NOT NULL,
              campaign_id integer       NOT NULL,
              site        text          NOT NULL
            );

            CREATE VIEW ad_features AS
            SELECT ts, user_id, campaign_id, clicked,
                   count(*) FILTER (WHERE NOT clicked) OVER seen_24h    AS seen_24h,
                   count(*) FILTER (WHERE clicked)     OVER user_7d     AS clicks_7d,
                   count(DISTINCT campaign_id)         OVER user_1h     AS campaigns_1h,
                   count(*) FILTER (WHERE clicked)     OVER campaign_1h * 1.0
                     / NULLIF(count(*) FILTER (WHERE NOT clicked) OVER campaign_1h, 0) AS click_rate_1h,
                   sum(cost)                           OVER campaign_1h AS spent_1h,
                   last_value(site)                    OVER before      AS previous_site
            FROM (
              SELECT ts, user_id, campaign_id, site, cost, false AS clicked FROM impressions
              UNION ALL
              SELECT ts, user_id, campaign_id, site, NULL, true FROM clicks
            ) events
            WINDOW by_user     AS (PARTITION BY user_id ORDER BY ts),
                   user_1h     AS (by_user RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW),
                   user_7d     AS (by_user RANGE BETWEEN INTERVAL '7 days' PRECEDING AND CURRENT ROW),
                   before      AS (by_user RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW),
                   seen_24h    AS (PARTITION BY user_id, campaign_id ORDER BY ts
                                   RANGE BETWEEN INTERVAL '24 hours' PRECEDING AND CURRENT ROW),
                   campaign_1h AS (PARTITION BY campaign_id ORDER BY ts
                                   RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);
            """,
        rules: """
            user_id          = zipf(500000, 0.9)
            campaign_id      = zipf(2000)
            site             = zipf(5000) as site-#.example
            impressions.cost = uniform(0.0005, 0.02)
            """,
        weights: ["impressions": 97, "clicks": 3])
}
