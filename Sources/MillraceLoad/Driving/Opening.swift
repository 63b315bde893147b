import Linux
import Wire

/// Opens the connections of a load.
enum Opening {
    /// Connects all, opens what the plan sends, and fills the reference tables by way of the first connection.
    static func connect(
        _ plan: LoadPlan, to address: SocketAddress, token: String, senders: Int, subscribers: Int, clock: inout LoadClock,
        log: AnswerLog?, fillsBefore: Bool
    ) throws -> [LoadConnection] {
        var connections: [LoadConnection] = []
        for number in 0..<senders + subscribers {
            let isSubscriber = number >= senders
            var opened = try OpenedConnection.open(address, token: token, isSubscriber: isSubscriber)
            if number == 0 {
                try log?.begin(at: opened.welcome)
                for source in fillsBefore ? plan.before : [] {
                    _ = try opened.open(source)
                    try opened.ingestAll(source, clock: &clock, log: log)
                }
            }
            if isSubscriber {
                try opened.subscribe(to: plan.subscribed[(number - senders) % plan.subscribed.count])
            } else {
                for source in plan.opened {
                    let views = try opened.open(source)
                    if number > 0 { continue }
                    plan.answered(source, by: views)
                    if let table = source.table { log?.opened(table: table, views) }
                }
            }
            connections.append(LoadConnection(opened, number: number))
        }
        return connections
    }
}
