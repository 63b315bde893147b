import CLinux
import Glibc

/// An epoll instance, level-triggered: what is not read now is reported again on the next wait.
public struct EventPoll: ~Copyable {
    /// What one descriptor is ready for.
    public struct Event {
        public let token: UInt64
        private let events: UInt32

        init(token: UInt64, events: UInt32) {
            self.token = token
            self.events = events
        }

        /// For pollers other than this.
        public init(token: UInt64, isReadable: Bool, isWritable: Bool) {
            self.init(
                token: token, events: (isReadable ? EPOLLIN.rawValue : 0) | (isWritable ? EPOLLOUT.rawValue : 0))
        }

        public var isReadable: Bool {
            events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue | EPOLLRDHUP.rawValue) != 0
        }
        public var isWritable: Bool { events & (EPOLLOUT.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
    }

    public struct Interest: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let read = Interest(rawValue: EPOLLIN.rawValue)
        public static let write = Interest(rawValue: EPOLLOUT.rawValue)
    }

    private let descriptor: FileDescriptor
    private let events: UnsafeMutableBufferPointer<epoll_event>

    public init(eventsMax: Int) throws(SystemError) {
        let number = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard number >= 0 else { throw .last("epoll_create1") }
        descriptor = FileDescriptor(owning: number)
        events = .allocate(capacity: eventsMax)
        events.initialize(repeating: epoll_event())
    }

    deinit { events.deallocate() }

    public func add(_ number: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, number, interest, token)
    }

    public func change(_ number: Int32, to interest: Interest, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_MOD, number, interest, token)
    }

    public func remove(_ number: Int32) {
        // A descriptor that is about to be closed leaves by itself; there is nothing to do about a failure.
        _ = epoll_ctl(descriptor.number, EPOLL_CTL_DEL, number, nil)
    }

    private func control(_ operation: Int32, _ number: Int32, _ interest: Interest, _ token: UInt64) throws(SystemError) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
        guard epoll_ctl(descriptor.number, operation, number, &event) == 0 else { throw .last("epoll_ctl") }
    }

    /// Waits at most `timeoutMilliseconds` (negative: for ever, 0: not at all) and calls `body` for each event.
    /// An interrupted wait is one without events.
    public func wait(timeoutMilliseconds: Int32, _ body: (Event) -> Void) {
        let count = epoll_wait(descriptor.number, events.baseAddress, Int32(events.count), timeoutMilliseconds)
        guard count > 0 else {
            precondition(count == 0 || errno == EINTR, "epoll_wait on a descriptor of ours")
            return
        }
        for index in 0..<Int(count) {
            body(Event(token: events[index].data.u64, events: events[index].events))
        }
    }
}

/// An eventfd: wakes a thread that sleeps in `EventPoll.wait`.
public struct EventSignal: ~Copyable, Sendable {
    private let descriptor: FileDescriptor
    public var number: Int32 { descriptor.number }

    public init() throws(SystemError) {
        let number = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard number >= 0 else { throw .last("eventfd") }
        descriptor = FileDescriptor(owning: number)
    }

    public func raise() {
        var one: UInt64 = 1
        // The only failure is a full counter, and that one wakes the sleeper just as well.
        _ = Glibc.write(descriptor.number, &one, 8)
    }

    public func clear() {
        var count: UInt64 = 0
        _ = Glibc.read(descriptor.number, &count, 8)
    }
}
