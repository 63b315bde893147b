import Linux
import Storage

/// Reads the snapshots that a server has left, with the server's own reader: what has a snapshot's name is whole, whatever the
/// end that the server came to, unless the disk has damaged it since; and the log leads to it.
struct SnapshotWitness {
    let world: Environment
    /// The log's last sequence number.
    let logEnd: UInt64

    static let directory = ServerProcess.directory + "/snapshots"
    static let suffix = ".snapshot"

    /// Called when the server is gone.
    func read() {
        guard let names = try? world.disk.fileNames(in: Self.directory) else { return }
        for name in names where name.hasSuffix(Self.suffix) && !world.disk.isDamaged(Self.directory, name) {
            guard let sequence = UInt64(name.dropLast(Self.suffix.count)) else {
                return world.violated("\(name) is no snapshot's name")
            }
            guard sequence <= logEnd else {
                return world.violated("there is a snapshot of sequence \(sequence), and the log ends with \(logEnd)")
            }
            do throws(SnapshotError) {
                try SnapshotReader.open(sequence: sequence, in: Self.directory, disk: world.disk).verify()
            } catch {
                return world.violated("a snapshot that was published is not whole: \(error)")
            }
        }
    }
}
