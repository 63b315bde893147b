import Language
import Linux
import Logging
import Plan
import Synchronization
import Testing
import Values
import Wire

@testable import Runtime

enum Problem: Error { case noMessage, noColumn(String) }

/// Servers for tests.
enum Running {
    struct RunningServer {
        let server: Server
        var address: SocketAddress { server.addresses[0] }
    }

    static let anyPort = SocketAddress.tcp(host: "127.0.0.1", port: 0)

    static func temporaryPath() -> String { "/tmp/millrace-runtime-\(SystemClock.monotonicNanoseconds())" }

    /// Starts a server, and drains it when `body` has returned, however it did.
    static func withServer<R>(
        cores: Int, listen: SocketAddress = anyPort, poll: PollMode = .adaptive, plan: Plan = Fixture.plan,
        sources: [SourceText] = [], memoryBytesMax: Int = 256 << 20, limits: SessionLimits = SessionLimits(),
        storage: StorageConfiguration? = nil, _ body: (RunningServer) throws -> R
    ) throws -> R {
        let configuration = ServerConfiguration(
            listeners: [listen], coreCount: cores, poll: poll, memoryBytesMax: memoryBytesMax, limits: limits,
            storage: storage)
        let server = try Server(
            plan: plan, sources: sources, configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try server.start()
        defer {
            server.drain(timeoutSeconds: 5)
            server.waitUntilStopped()
        }
        return try body(RunningServer(server: server))
    }

    /// Asks again until it is so, for at most ten seconds.
    static func eventually(_ condition: () throws -> Bool) throws {
        let end = SystemClock.monotonicNanoseconds() + 10_000_000_000
        while try !condition() {
            guard SystemClock.monotonicNanoseconds() < end else { throw TestClient.Failure.timedOut }
        }
    }

    /// Runs `body` on several threads; rethrows the first error.
    static func concurrently(_ count: Int, _ body: @escaping (Int) throws -> Void) throws {
        // The threads end before this function does, and what they share is as safe as the test makes it.
        nonisolated(unsafe) let body = body
        let failure = Mutex<(any Error)?>(nil)
        let shared = Shared(failure)
        var threads: [Joined] = []
        for number in 0..<count {
            threads.append(
                Joined(
                    try SystemThread(name: "client \(number)") {
                        do { try body(number) } catch { shared.value.withLock { $0 = $0 ?? error } }
                    }))
        }
        for thread in threads { thread.join() }
        if let error = shared.value.withLock({ $0 }) { throw error }
    }

    private final class Shared: Sendable {
        let value: Mutex<(any Error)?>
        init(_ value: consuming Mutex<(any Error)?>) { self.value = value }
    }

    private final class Joined {
        private var thread: SystemThread?
        init(_ thread: consuming SystemThread) { self.thread = consume thread }
        func join() { thread.take()?.join() }
    }
}

/// Batches of `events`.
enum Events {
    enum Column {
        case integers([Int64?])
        case doubles([Double?])
    }

    static func encode(ts: [Int64], key: [Int64], shop: [Int64], amount: [Double?]) -> [UInt8] {
        encode(Fixture.eventColumns, [.integers(ts), .integers(key), .integers(shop), .doubles(amount)])
    }

    /// Made-up events; event time moves on with the batch's number.
    static func batch(number: Int, rows: Int) -> [UInt8] {
        let numbers = (0..<rows).map { Int64(number * 1_000 + $0) }
        return encode(
            ts: numbers.map { $0 / 10 }, key: numbers.map { $0 &* 7_919 % 97 }, shop: numbers.map { $0 &* 104_729 % 13 },
            amount: numbers.map { $0 % 11 == 0 ? nil : Double($0 % 100) / 4 })
    }

    static func encode(_ fields: [Field], _ columns: [Column]) -> [UInt8] {
        var rows = 0
        var memory: [UnsafeMutableRawPointer] = []
        defer { for pointer in memory { pointer.deallocate() } }
        var sources: [BatchWriter.Source] = []
        for column in columns {
            let (count, isNull): (Int, [Bool]) =
                switch column {
                case .integers(let values): (values.count, values.map { $0 == nil })
                case .doubles(let values): (values.count, values.map { $0 == nil })
                }
            rows = count
            let values = UnsafeMutableRawPointer.allocate(byteCount: max(count * 8, 8), alignment: 16)
            let nulls = UnsafeMutablePointer<UInt8>.allocate(capacity: max(count, 1))
            memory += [values, UnsafeMutableRawPointer(nulls)]
            for row in 0..<count { nulls[row] = isNull[row] ? 1 : 0 }
            switch column {
            case .integers(let all):
                for (row, value) in all.enumerated() { values.storeBytes(of: value ?? 0, toByteOffset: row * 8, as: Int64.self) }
            case .doubles(let all):
                for (row, value) in all.enumerated() { values.storeBytes(of: value ?? 0, toByteOffset: row * 8, as: Double.self) }
            }
            sources.append(BatchWriter.Source(values: values, nulls: nulls))
        }
        var buffer = OutputBuffer()
        // A batch of a test fits a message.
        sources.withUnsafeBufferPointer { try! BatchWriter(fields: fields).write(rows: rows, columns: $0, into: &buffer) }
        return Array(buffer.bytes)
    }
}

/// A result batch, read back by our own reader.
struct Answer {
    private var columns: [String: [Scalar]] = [:]

    init(_ frame: TestClient.Frame, schema: ArrowSchema) throws {
        let target = try schema.valueFields().map { field in
            Field(name: field.name, type: field.type == .double ? .double : .bigint)
        }
        let reader = try BatchReader(target: target, source: schema)
        var scratch = ScratchBuffer()
        var views: [ColumnView] = []
        try frame.body.withUnsafeBytes { body in
            let rows = try reader.read(message: body, scratch: &scratch, into: &views)
            for (field, view) in zip(target, views) {
                columns[field.name] = (0..<rows).map { row in
                    let isNull = view.validity.map { $0[row >> 3] >> UInt8(row & 7) & 1 == 0 } ?? false
                    if isNull { return .null }
                    return field.type == .double
                        ? .double(view.values.assumingMemoryBound(to: Double.self)[row])
                        : .integer(view.values.assumingMemoryBound(to: Int64.self)[row])
                }
            }
        }
    }

    func integers(_ name: String) -> [Int64?] {
        (columns[name] ?? []).map { if case .integer(let value) = $0 { value } else { nil } }
    }

    func doubles(_ name: String) -> [Double?] {
        (columns[name] ?? []).map { if case .double(let value) = $0 { value } else { nil } }
    }
}
