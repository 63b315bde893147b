import ArgumentParser
import Bounds
import Runtime

@main struct MillraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace",
        abstract: "A real-time feature server: SQL window functions in, feature vectors out.",
        discussion: """
            Definitions are CREATE TABLE (an event stream) and CREATE VIEW (a feature view) in PostgreSQL's SQL. A text may end \
            in a bare SELECT: that is a view named "result". DEFINITIONS is a .sql file, or a directory of them.

            A first look, without a server:
              millrace check   features.sql
              millrace replay  features.sql --input payments.csv --output vectors.csv
            The same over TCP:
              millrace serve   features.sql
              millrace send    --input payments=payments.csv --output vectors.csv
            """,
        version: Release.version,
        subcommands: [
            ServeCommand.self, CheckCommand.self, ExplainCommand.self, ReplayCommand.self, SendCommand.self,
            SubscribeCommand.self, GetCommand.self, ApplyCommand.self, StatusCommand.self, LogCommand.self,
        ])

    static func main() async {
        Bounds.checkRelations()
        await main(nil)
    }
}
