import Linux
import Storage

/// Reads the log that a server has left, with the server's own reader: which of the batches that nobody answered are in force, and
/// where. What was acknowledged has to stand where its acknowledgement said.
///
/// A record is told by its message, byte for byte what a client sent: rows are numbered, so no two batches are equal.
struct LogWitness {
    let world: Environment
    let history: History

    static let directory = ServerProcess.directory + "/log"

    /// Called when the server is gone and the disk has what it has: nobody writes. Returns the log's last sequence number.
    func read() -> UInt64 {
        // A server may end before it has made one.
        guard let names = try? world.disk.fileNames(in: Self.directory), !names.isEmpty else { return 0 }
        do throws(LogError) {
            let (reader, first) = try reader()
            var epoch: UInt32?
            var segment: UInt64?
            history.beginLog()
            while let record = try reader.next(), world.violation == nil {
                note(record)
                if case .start(let start) = record.content { epoch = max(epoch ?? 0, start.epoch) }
                if !record.isContext { segment = record.segment }
            }
            // Where the segment with the server's start was given up, its others know its epoch; one that has nothing but what is stated
            // anew may be of a server that never began.
            if epoch == nil, let segment {
                let segments = try LogUpkeep(disk: world.disk, directory: Self.directory).segments()
                epoch = segments.first { $0.number == segment }?.epoch
            }
            history.logEnds(first: first, last: reader.lastSequence, epoch: epoch ?? 0)
            return reader.lastSequence
        } catch {
            world.violated("the log that is left cannot be read: \(error)")
            return 0
        }
    }

    /// Called before the oldest segment is removed, while the server goes on: what it has is not to be read later.
    func readOldestSegment() {
        guard let (reader, _) = try? reader() else { return }
        var segment: UInt64?
        while let record = try? reader.next(), segment ?? record.segment == record.segment, world.violation == nil {
            segment = record.segment
            note(record)
        }
    }

    private func note(_ record: LogRecord) {
        switch record.content {
        case .batch(let batch, _): history.logged(Array(batch.message), at: record.sequence)
        case .definitions(let definitions): history.defined(definitions.sources.map(\.text), version: definitions.version)
        default: break
        }
    }

    /// Older segments may have been given up behind a snapshot.
    private func reader() throws(LogError) -> (LogReader, first: UInt64) {
        do throws(LogError) {
            return (try LogReader(disk: world.disk, directory: Self.directory), 1)
        } catch {
            guard case .notKept(_, let oldest) = error else { throw error }
            return (try LogReader(disk: world.disk, directory: Self.directory, from: oldest), oldest)
        }
    }
}
