import ArgumentParser
import Workloads

/// What rows are made of.
struct DataOptions: ParsableArguments {
    @Option(
        name: .customLong("rule"),
        help: ArgumentHelp(
            "How a column's values are made up; may be given several times: zipf(KEYS[, EXPONENT]), uniform(LOW, HIGH), "
                + "normal(MEAN, DEVIATION), sequence([FIRST[, STEP]]), category(VALUE[*WEIGHT], …), time; for texts \"as PATTERN\" "
                + "behind it, for NULLs \"nulls 5%\".",
            valueName: "[table.]column=rule"))
    var rules: [String] = []

    @Option(name: .customLong("rules"), help: ArgumentHelp("A file of rules, one a line.", valueName: "file"))
    var rulesFile: String?

    @Option(help: ArgumentHelp("Share of the events by table, as trades=90,instruments=10.", valueName: "table=weight,…"))
    var weights = Weights([])

    @Option(help: "Event time goes on by a second with every so many events; without it, it is the time at which they are sent.")
    var eventRate: Amount?

    @Option(help: ArgumentHelp("The first event's time; now, or 2024-01-01 with --event-rate.", valueName: "moment"))
    var start: Moment?

    @Option(help: "What an integer event time counts: microsecond (bigint), millisecond, second or event (integer, smallint).")
    var timeUnit: IntegerTimeUnit?

    @Option(help: ArgumentHelp("Rows that come late, as 5% or 0.05.", valueName: "share"))
    var late = Share(0)

    @Option(help: "By how much they are late at most.") var lateBy = Span(seconds: 30)

    @Option(help: ArgumentHelp("Rows that come twice, one behind the other.", valueName: "share"))
    var duplicates = Share(0)

    @Option(help: "Rows that are made up beforehand and sent over and over, each time with new event times.")
    var pool = Amount(1_000_000)

    @Option(help: "The same seed makes the same rows.") var seed: UInt64 = 1

    var disturbance: BatchPool.Disturbance {
        var disturbance = BatchPool.Disturbance()
        disturbance.lateShare = late.value
        disturbance.lateByMicroseconds = Int64(lateBy.seconds * 1e6)
        disturbance.duplicateShare = duplicates.value
        return disturbance
    }

    /// 2024-01-01.
    private static let pastMicroseconds: Int64 = 1_704_067_200_000_000

    func clock() -> LoadClock {
        LoadClock(
            start: start?.microseconds ?? (eventRate == nil ? nil : Self.pastMicroseconds), eventsPerSecond: eventRate?.value)
    }
}
