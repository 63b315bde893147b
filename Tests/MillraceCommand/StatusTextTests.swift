import Testing

@testable import Millrace
@testable import MillraceCommand

@Test func `a status is a page of aligned lines, with stages and percentiles as a table`() {
    func entry(_ name: String, _ label: String, _ unit: String, _ value: Double) -> ServerStatus.Entry {
        ServerStatus.Entry(name: name, label: label, unit: unit, value: value)
    }
    let status = ServerStatus(
        serverVersion: "1.2.3",
        entries: [
            entry("uptime", "", "s", 12.34567), entry("rows", "compute", "", 1_234_567),
            entry("latency_p50", "sequenced", "us", 1.5), entry("latency_max", "sequenced", "us", 2_000),
            entry("latency_p50", "total", "us", 10), entry("latency_max", "total", "us", 4_000.25),
            entry("memory_used", "shard 0", "bytes", 1_024),
        ])
    #expect(
        StatusText(status).text == """
            millrace 1.2.3
            uptime                   12.346  s
            rows         compute  1,234,567
            memory_used  shard 0      1,024  bytes

            latency, us  p50      max
            sequenced    1.5    2,000
            total         10  4000.25

            """)
}
