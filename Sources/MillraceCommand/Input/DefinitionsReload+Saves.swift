import Linux

extension DefinitionsReload {
    /// Has definitions take effect when they are saved, until its task is cancelled.
    /// - Parameter watch: or why there is none.
    nonisolated func followSaves(_ watch: Result<DefinitionsWatch, any Error>) async throws {
        let stop = StopSignal(try EventSignal())
        // One change says all: the files are read when the one before has been dealt with.
        let (saves, save) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let thread = try SystemThread(name: "watching") {
            do {
                try watch.get().run(until: stop.signal) { save.yield() }
            } catch {
                self.cannotWatch("\(error)")
            }
        }
        await withTaskCancellationHandler {
            for await _ in saves { await reloadIfChanged() }
        } onCancel: {
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
