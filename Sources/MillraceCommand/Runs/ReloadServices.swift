import Linux
import ServiceLifecycle
import UnixSignals

/// SIGHUP: the definitions are read again.
struct HangUpService: Service {
    let signals: UnixSignalsSequence
    let reload: DefinitionsReload

    func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() { await reload.reload() }
    }
}

/// Saved definitions are noticed.
struct WatchService: Service {
    /// Or why there is none.
    let watch: Result<DefinitionsWatch, any Error>
    let reload: DefinitionsReload

    func run() async throws {
        let stop = StopSignal(try EventSignal())
        // One change says all: the files are read when the one before has been dealt with.
        let (saves, save) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let (watch, reload) = (watch, reload)
        let thread = try SystemThread(name: "watching") {
            do {
                try watch.get().run(until: stop.signal) { save.yield() }
            } catch {
                reload.cannotWatch("\(error)")
            }
        }
        await withGracefulShutdownHandler {
            for await _ in saves { await reload.reloadIfChanged() }
        } onGracefulShutdown: {
            stop.signal.raise()
            save.finish()
        }
        thread.join()
    }
}

private final class StopSignal: Sendable {
    let signal: EventSignal
    init(_ signal: consuming EventSignal) { self.signal = signal }
}
