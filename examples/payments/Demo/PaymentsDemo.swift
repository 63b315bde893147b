import ArgumentParser
import Glibc
import Millrace
import PaymentSimulator

/// Streams simulated payments to a server of card_risk.sql: five weeks of them at full speed, so that every window is full, and
/// then at a pace that a person can watch, each with the vector that came back for it.
@main struct PaymentsDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace-demo",
        abstract: "Streams simulated card payments to a server, and shows the vectors that come back.")

    @Option(help: "The server: HOST:PORT or unix:PATH.") var connect: String?
    @Option(help: "End after so many seconds.") var seconds: Int?
    @Option(help: "Payments a second, once history is in.") var pace = 8
    @Flag(help: "Print risky payments in red.") var color = false
    @Option(help: "Print so many payments as CSV instead.") var csv: Int?

    private static let historyDays: Int64 = 35
    private static let batchRows = 4_096
    /// Lines between one heading and the next.
    private static let headingInterval = 30

    func validate() throws {
        if connect == nil && csv == nil { throw ValidationError("say --connect ADDRESS, or --csv COUNT") }
        if pace < 1 || pace > 1_000 { throw ValidationError("--pace is 1 to 1000 payments a second") }
    }

    func run() async throws {
        var payments = PaymentSimulator.sample
        if let csv {
            print(SampleFile.header)
            for payment in payments.prefix(csv) { print(SampleFile.line(payment)) }
            return
        }
        let client = try await MillraceClient.connect(to: connect!)
        let first = try await sendHistory(from: &payments, to: client)
        try await showPayments(from: first, payments, over: client)
        client.close()
    }

    /// Returns the first payment after history.
    private func sendHistory(from payments: inout PaymentSimulator, to client: MillraceClient) async throws -> Payment {
        let end = PaymentSimulator.sampleStartMicroseconds + Self.historyDays * 86_400_000_000
        let start = ContinuousClock.now
        var sent = 0
        var batch: [PaymentRow] = []
        while let payment = payments.next() {
            if payment.timeMicroseconds >= end || batch.count == Self.batchRows {
                _ = try await client.ingest("payments", batch, naming: .snakeCase)
                sent += batch.count
                batch.removeAll(keepingCapacity: true)
            }
            if payment.timeMicroseconds >= end {
                let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
                show(
                    "\n\(Self.historyDays) days of history: \(sent) payments simulated and sent in \(fixed(milliseconds, decimals: 0)) ms.\n"
                )
                return payment
            }
            batch.append(PaymentRow(payment))
        }
        preconditionFailure("the simulator's stream has no end")
    }

    private func showPayments(from first: Payment, _ rest: PaymentSimulator, over client: MillraceClient) async throws {
        let deadline = seconds.map { ContinuousClock.now + .seconds($0) }
        var rest = rest
        var next: Payment? = first
        var shown = 0
        while let payment = next, deadline.map({ ContinuousClock.now < $0 }) ?? true {
            let start = ContinuousClock.now
            let vectors = try await client.compute(
                "payments", [PaymentRow(payment)], view: "card_risk", as: VectorLine.Features.self, naming: .snakeCase)
            if shown % Self.headingInterval == 0 { show("\n" + VectorLine.heading) }
            if let features = vectors[0] { show(VectorLine(payment: payment, features: features, isColored: color).text) }
            shown += 1
            next = rest.next()
            try await Task.sleep(until: start + .seconds(1) / pace)
        }
        show("\n\(shown) payments answered.")
    }

    /// Prints a line at once, also into a pipe.
    private func show(_ line: String) {
        print(line)
        fflush(nil)
    }
}

/// A payment as the table `payments` has it.
private struct PaymentRow: Encodable, Sendable {
    var ts: Timestamp
    var cardId: Int64
    var terminalId: Int64
    var amount: Double
    var fraud: Bool

    init(_ payment: Payment) {
        ts = Timestamp(microseconds: payment.timeMicroseconds)
        cardId = payment.card
        terminalId = payment.terminal
        amount = payment.amount
        fraud = payment.fraud != nil
    }
}
