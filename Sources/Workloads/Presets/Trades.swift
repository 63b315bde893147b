extension Preset {
    static let trades = Preset(
        name: "trades",
        summary: "option trades joined with instruments and users: the formatted option symbol beside each trade",
        sql: """
            -- Option trades with what their instrument is, as OCC writes it: SPY241103C00200000 is the call on SPY that expires
            -- on 3 November 2024, at 200 dollars.

            CREATE TABLE instruments (
              id     integer PRIMARY KEY,
              ticker text    NOT NULL,
              expiry date    NOT NULL,
              kind   text    NOT NULL,     -- C: call, P: put
              strike integer NOT NULL      -- in thousandths
            );
            CREATE TABLE users (
              id       integer PRIMARY KEY,
              username text    NOT NULL
            );
            CREATE TABLE trades (
              ts            timestamptz NOT NULL,
              id            bigint      NOT NULL,
              instrument_id integer     NOT NULL,
              user_id       integer     NOT NULL,
              price         integer     NOT NULL,   -- in cents
              is_buy        boolean     NOT NULL
            );

            CREATE VIEW fills AS
            SELECT t.ts, t.id,
                   i.ticker || replace(substring(i.expiry::text, 3), '-', '') || i.kind
                     || right('0000000' || i.strike::text, 8) AS symbol,
                   u.username, t.price, t.is_buy
            FROM trades t
            JOIN instruments i ON i.id = t.instrument_id
            LEFT JOIN users u ON u.id = t.user_id;
            """,
        rules: """
            instruments.id       = uniform(1, 10000)
            instruments.ticker   = category(SPY, AAPL, MSFT, AMZN, NVDA, GOOGL, TSLA, META, UNH, XOM)
            instruments.expiry   = uniform(2024-11-01, 2026-12-31)
            instruments.kind     = category(C, P)
            instruments.strike   = uniform(1000, 999999)
            users.id             = uniform(1, 1000)
            users.username       = zipf(1000, 0) as trader #
            trades.id            = uniform(1, 10000000)
            trades.instrument_id = uniform(1, 10000)
            trades.user_id       = uniform(1, 10000)
            trades.price         = uniform(1, 10000)
            trades.is_buy        = category(true, false)
            """,
        weights: ["trades": 90, "instruments": 10, "users": 0])
}
