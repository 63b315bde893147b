import ArgumentParser
import Testing

@testable import MillraceLoad

@Suite struct OptionsTests {
    @Test(arguments: [("250", 250.0), ("50k", 50_000), ("1.5M", 1_500_000)])
    func `an amount has a factor`(text: String, value: Double) { #expect(Amount(argument: text)?.value == value) }

    @Test(arguments: ["", "k", "-5", "0", "inf", "1.5X"])
    func `what is no amount is none`(text: String) { #expect(Amount(argument: text) == nil) }

    @Test(arguments: [("250us", 2.5e-4), ("10ms", 0.01), ("1.5s", 1.5), ("2m", 120), ("3", 3)])
    func `a span has a unit`(text: String, seconds: Double) {
        #expect((Span(argument: text)!.seconds - seconds).magnitude < 1e-12)
    }

    @Test func `a goal is a percentile and a time`() throws {
        let goal = try #require(Goal(argument: "p99.9=1ms"))
        #expect(goal.percentile == "p99.9" && goal.nanoseconds == 1_000_000)
        for wrong in ["p99", "p98=1ms", "p99=fast", "=1ms", "p99=0s"] { #expect(Goal(argument: wrong) == nil) }
    }

    @Test(arguments: [
        (["--rate", "5k", "--closed"], "--closed goes with neither"), (["--ramp"], "--ramp needs a goal"),
        (["--goal", "p99=1ms"], "give --ramp too"), (["--mix", "compute=1,fly=2"], "\"fly\" is none of"),
        (["--mix", "subscribe=1"], "somebody has to send"), (["--batch", "0"], "--batch is from 1"),
        (["--connections", "20000"], "--connections is from 1"), (["--connect", "nowhere"], "it has no port"),
    ])
    func `options that contradict one another are refused`(words: [String], why: String) {
        do {
            _ = try LoadCommand.parse(["card-fraud"] + words)
            Issue.record("\(words) is taken")
        } catch {
            #expect(LoadCommand.message(for: error).contains(why), "\(LoadCommand.message(for: error))")
        }
    }

    @Test func `subscribers are a share of the connections`() throws {
        let options = try LoadCommand.parse(["card-fraud", "--connections", "30", "--mix", "compute=3,subscribe=1"]).load
        #expect(options.subscribers == 10)
        let few = try LoadCommand.parse(["card-fraud", "--mix", "compute=99,subscribe=1"]).load
        #expect(few.subscribers == 1)
    }
}
