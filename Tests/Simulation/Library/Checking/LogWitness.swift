import Linux
import Storage

/// Reads the log that a server has left, with the server's own reader: which of the batches that nobody answered are in force, and
/// where. What was acknowledged has to stand where its acknowledgement said.
///
/// A record is told by its message, byte for byte what a client sent: rows are numbered, so no two batches are equal.
struct LogWitness {
    let world: Environment
    let history: History

    /// Called when the server is gone and the disk has what it has: nobody writes.
    func read() {
        let directory = ServerProcess.directory + "/log"
        // A server may end before it has made one.
        guard let names = try? world.disk.fileNames(in: directory), !names.isEmpty else { return }
        do throws(LogError) {
            let (reader, first) = try Self.reader(world.disk, directory)
            var epoch: UInt32 = 0
            history.beginLog()
            while let record = try reader.next(), world.violation == nil {
                switch record.content {
                case .batch(let batch, _): history.logged(Array(batch.message), at: record.sequence)
                case .definitions(let definitions):
                    history.defined(definitions.sources.map(\.text), version: definitions.version)
                case .start(let start): epoch = max(epoch, start.epoch)
                default: break
                }
            }
            history.logEnds(first: first, last: reader.lastSequence, epoch: epoch)
        } catch {
            world.violated("the log that is left cannot be read: \(error)")
        }
    }

    /// Older segments may have been given up behind a snapshot.
    private static func reader(_ disk: any Disk, _ directory: String) throws(LogError) -> (LogReader, first: UInt64) {
        do throws(LogError) {
            return (try LogReader(disk: disk, directory: directory), 1)
        } catch {
            guard case .notKept(_, let oldest) = error else { throw error }
            return (try LogReader(disk: disk, directory: directory, from: oldest), oldest)
        }
    }
}
