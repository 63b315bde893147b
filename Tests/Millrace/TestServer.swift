import Engine
import Language
import Linux
import Logging
import Plan
import Runtime

/// A real server in this process, on a port that the system chose.
final class TestServer: Sendable {
    static let definitions = """
        CREATE TABLE payments (
          ts       timestamptz      NOT NULL,
          card_id  bigint           NOT NULL,
          amount   double precision NOT NULL,
          declined boolean          NOT NULL
        );

        CREATE VIEW card_risk AS
        SELECT ts, card_id,
               count(*)                         OVER last_10m AS payments_10m,
               count(*) FILTER (WHERE declined) OVER last_10m AS declined_10m,
               sum(amount)                      OVER last_10m AS spent_10m
        FROM payments
        WINDOW last_10m AS (PARTITION BY card_id ORDER BY ts RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW);
        """

    private let server: Server
    let address: String

    init(listen: String = "127.0.0.1:0", cores: Int = 1) throws {
        let (definitions, diagnostics) = Compiler.compile([SourceText(name: "test.sql", text: Self.definitions)])
        guard let definitions else { throw diagnostics[0] }
        let configuration = ServerConfiguration(
            listeners: [try SocketAddress(parsing: listen)], coreCount: cores, poll: .block, memoryBytesMax: 64 << 20)
        server = try Server(
            plan: Planner.plan(definitions), configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try server.start()
        address = server.addresses[0].description
    }

    /// Ends it as SIGTERM would.
    func stop() {
        server.drain(timeoutSeconds: 2)
        server.waitUntilStopped()
    }
}
