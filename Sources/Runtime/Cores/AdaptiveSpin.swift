/// How long a core that has nothing to do looks for work before it sleeps, out of how soon work has come lately.
///
/// A wake-up costs ten microseconds and more: spinning pays where the next work comes sooner than that, and wastes a processor where
/// it does not, the more so where others wait for that processor. Each pause between two pieces of work teaches: one that a
/// longer spin would have caught doubles the time, one that is longer than any spin halves it, until the core sleeps at once.
struct AdaptiveSpin {
    static let firstNanoseconds: UInt64 = 10_000
    /// What a sleep adds to a pause, about: the time to wake up, which a spin would not have taken.
    static let wakeUpNanoseconds: UInt64 = 20_000

    let nanosecondsMax: UInt64
    private(set) var nanoseconds: UInt64

    init(nanosecondsMax: UInt64) {
        self.nanosecondsMax = nanosecondsMax
        nanoseconds = min(Self.firstNanoseconds, nanosecondsMax)
    }

    /// Work was noticed `observed` after the work before; `hasSlept` meanwhile.
    mutating func workCame(afterNanoseconds observed: UInt64, hasSlept: Bool) {
        let pause = hasSlept ? observed - min(observed, Self.wakeUpNanoseconds) : observed
        if pause <= nanoseconds && !hasSlept { return }
        if pause <= nanosecondsMax {
            nanoseconds = min(nanosecondsMax, max(Self.firstNanoseconds, 2 * nanoseconds))
        } else {
            nanoseconds = nanoseconds / 2 < Self.firstNanoseconds / 4 ? 0 : nanoseconds / 2
        }
    }
}
