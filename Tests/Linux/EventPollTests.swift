import Linux
import Synchronization
import Testing

@Suite struct `An event poll` {
    @Test func `reports a signal until it is cleared, with its token`() throws {
        let poll = try EventPoll(eventsMax: 4)
        let signal = try EventSignal()
        try poll.add(signal.number, .read, token: 0xFFFF_0000_1234_5678)
        poll.wait(timeoutMilliseconds: 0) { _ in Issue.record("nothing has happened yet") }
        signal.raise()
        signal.raise()
        for _ in 0..<2 {
            var tokens: [UInt64] = []
            poll.wait(timeoutMilliseconds: 0) { event in
                #expect(event.isReadable && !event.isWritable)
                tokens.append(event.token)
            }
            #expect(tokens == [0xFFFF_0000_1234_5678])
        }
        signal.clear()
        poll.wait(timeoutMilliseconds: 0) { _ in Issue.record("the signal was cleared") }
    }

    @Test func `is woken from another thread`() throws {
        let poll = try EventPoll(eventsMax: 4)
        let signal = try Shared(EventSignal())
        try poll.add(signal.value.number, .read, token: 7)
        let thread = try SystemThread(name: "waker") { signal.value.raise() }
        var tokens: [UInt64] = []
        poll.wait(timeoutMilliseconds: 10_000) { tokens.append($0.token) }
        #expect(tokens == [7])
        thread.join()
    }

    @Test func `knows the processors it may use`() {
        let processors = Processors.allowed()
        #expect(!processors.isEmpty && processors == processors.sorted())
    }

    private final class Shared: Sendable {
        let value: EventSignal
        init(_ value: consuming EventSignal) { self.value = value }
    }
}
