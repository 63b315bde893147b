import FoundationEssentials
import PaymentSimulator
import Testing

@Suite struct PaymentSimulatorTests {
    private static let start: Int64 = 1_767_225_600_000_000  // 2026-01-01

    private func payments(_ count: Int, seed: UInt64 = 1) -> [Payment] {
        Array(PaymentSimulator(seed: seed, startMicroseconds: Self.start).prefix(count))
    }

    @Test func `a seed is a stream`() {
        #expect(payments(5_000) == payments(5_000))
        #expect(payments(5_000) != payments(5_000, seed: 2))
    }

    @Test func `payments come in the order of time`() {
        let times = payments(20_000).map(\.timeMicroseconds)
        #expect(times == times.sorted())
        #expect(times[0] >= Self.start)
    }

    @Test func `every kind of fraud occurs and all of it stays rare`() {
        let frauds = payments(60_000).compactMap(\.fraud)
        #expect(Set(frauds) == [.largeAmount, .compromisedTerminal, .stolenCard])
        #expect(frauds.count < 60_000 / 5)
    }

    @Test func `amounts are money`() {
        for payment in payments(5_000) {
            #expect(payment.amount >= 0)
            #expect(abs((payment.amount * 100).rounded() / 100 - payment.amount) < 1e-9)
        }
    }

    @Test func `the bundled file is the start of the sample stream`() throws {
        let package = #filePath.dropLast("/Tests/Examples/PaymentSimulatorTests.swift".count)
        let bundled = try String(contentsOfFile: "\(package)/examples/payments/payments.csv", encoding: .utf8)
        let rows = bundled.split(separator: "\n")
        #expect(rows[0] == SampleFile.header)
        #expect(zip(rows.dropFirst(), PaymentSimulator.sample).allSatisfy { $0 == SampleFile.line($1) })
        #expect(rows.count == 2_001)
    }
}
