import Testing

@testable import MillraceLoad

@Suite struct ReportTests {
    @Test func `figures are short`() {
        #expect(
            [0, 999, 1_000, 12_345, 123_456, 4_560_000, 1_200_000_000].map(Figures.duration) == [
                "0 ns", "999 ns", "1.00 µs", "12.3 µs", "123 µs", "4.56 ms", "1.20 s",
            ])
        #expect([0, 7, 1_000, -1_234_567].map { Figures.count($0) } == ["0", "7", "1,000", "-1,234,567"])
        #expect([0.0, 0.056, 9.999, -3.14159].map { Figures.fixed($0, 2) } == ["0.00", "0.06", "10.00", "-3.14"])
    }

    private func summary() -> Summary {
        var recorder = Recorder()
        for second in 0..<4 {
            for request in 1...1_000 {
                recorder.sent += 1
                recorder.answered += 1
                recorder.answerArrived(.compute, rows: 10, nanoseconds: UInt64(request) * 1_000, isMeasured: second > 0)
            }
            recorder.secondEnded(underWay: 2, waiting: second)
        }
        recorder.errorArrived(code: "overloaded", message: "a < b & \"c\"")
        var outcome = LoadLoop.Outcome(recorder: recorder)
        outcome.measuredSeconds = 3
        let description = LoadDescription(
            workload: "<script>", command: "millrace-load", server: "", pace: .open(requestsPerSecond: 1_000), connections: 1,
            subscribers: 0, batchRows: 10, seed: 1, warmUpSeconds: 1)
        return Summary(outcome, of: description, verification: nil)
    }

    @Test func `a summary measures what came after the warm-up`() {
        let summary = summary()
        #expect(summary.events == 30_000 && summary.eventsPerSecond == 10_000 && summary.sent == 4_000)
        let latency = summary.latencies[0]
        #expect(latency.count == 3_000)
        #expect((990_000...992_000).contains(latency.p99))
        #expect((999_000...1_001_000).contains(latency.max))
        #expect(latency.distribution.last?.share == 1)
        #expect(summary.isGood && !summary.queueGrew)
    }

    @Test func `a page has charts and nothing from elsewhere`() {
        let page = HTMLReport.render(summary())
        #expect(page.components(separatedBy: "<svg").count == 5)
        #expect(!page.contains("http") && !page.contains("<script") && page.contains("&lt;script&gt;"))
        #expect(page.contains("a &lt; b &amp; &quot;c&quot;"))
    }

    @Test func `a table names the percentiles`() {
        let text = TextReport.render(summary())
        #expect(text.contains("p99.9") && text.contains("10,000 events/s in 1,000 requests/s") && text.contains("lost 0"))
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        ranges(of: separator).reduce(into: [self[...]]) { parts, range in parts.append(self[range.upperBound...]) }
    }
}
