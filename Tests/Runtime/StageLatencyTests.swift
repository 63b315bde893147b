import Testing

@testable import Runtime

@Suite struct `The latency of stages` {
    private typealias Times = StageLatency.Times

    private static func percentile(_ latency: StageLatency, _ stage: StageLatency.Stage, _ value: Double) -> Double {
        Double(StageLatency.merged([latency])[stage.rawValue].valueAtPercentile(value))
    }

    @Test func `is the time from one to the next, and all of it`() {
        var latency = StageLatency()
        latency.record(
            Times(received: 1_000_000, sequenced: 1_010_000, computed: 1_040_000, durable: 1_060_000), sentNanoseconds: 1_100_000)
        for (stage, expected) in zip(StageLatency.Stage.allCases, [10_000, 30_000, 20_000, 40_000, 100_000]) {
            let found = `The latency of stages`.percentile(latency, stage, 100)
            #expect(abs(found / Double(expected) - 1) < 0.02, "\(stage): \(found)")
        }
    }

    @Test func `has the percentiles of what was recorded`() {
        var latency = StageLatency()
        for microseconds in 1...1_000 as ClosedRange<UInt64> {
            let sent = 1 + microseconds * 1_000
            latency.record(Times(received: 1, sequenced: 1, computed: 1, durable: 1), sentNanoseconds: sent)
        }
        for (percent, expected) in [(50.0, 500_000.0), (90, 900_000), (99, 990_000), (99.9, 999_000), (100, 1_000_000)] {
            let found = `The latency of stages`.percentile(latency, .total, percent)
            #expect(abs(found / expected - 1) < 0.02, "p\(percent): \(found)")
        }
    }

    @Test func `forgets what is older than two periods`() {
        let period = StageLatency.periodNanoseconds
        var latency = StageLatency()
        latency.record(Times(received: 1, sequenced: 1, computed: 1, durable: 1), sentNanoseconds: 9_000_000)
        let start = 9_000_000 + period
        latency.record(
            Times(received: start, sequenced: start, computed: start, durable: start), sentNanoseconds: start + 1_000)
        #expect(`The latency of stages`.percentile(latency, .total, 100) > 8_000_000, "one period back is shown")
        latency.turnPeriod(start + period + 1_000)
        #expect(`The latency of stages`.percentile(latency, .total, 100) < 2_000)
        latency.turnPeriod(start + 10 * period)
        #expect(StageLatency.merged([latency]).allSatisfy { $0.totalCount == 0 })
    }

    @Test func `is sampled one batch in 64, and where they are fewer every 10 ms`() {
        var metrics = CoreMetrics()
        #expect((0..<6_400).filter { _ in metrics.isNextSampled(nowNanoseconds: 1) }.count == 100)
        let seldom = (1...100 as ClosedRange<UInt64>).filter { metrics.isNextSampled(nowNanoseconds: 1 + $0 * 10_000_000) }
        #expect(seldom.count == 100)
    }
}
