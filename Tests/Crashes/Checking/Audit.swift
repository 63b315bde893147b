import Millrace
import Values

/// Asks a server how many rows of each batch it has. The answer does not depend on anything else that was sent.
enum Audit {
    struct Found: Hashable, Sendable {
        var lines: Int64 = 0
        /// The lines' numbers together, so that one twice and another not at all is seen.
        var total: Int128 = 0

        func isWhole(_ batch: SentBatch) throws(DamagedBatch) -> Bool {
            let lines = batch.okLines
            if self == Found(lines: Int64(lines.count), total: Int128(lines.reduce(0, +))) { return !lines.isEmpty }
            if self == Found() { return false }
            throw DamagedBatch(
                "batch \(batch.id) of \(lines.count) rows that count: the server has \(self.lines), whose numbers make \(total)")
        }
    }

    struct DamagedBatch: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private static let keysMax = 8_192
    /// 2100-01-01: of anything that is kept at all.
    private static let end: Int64 = 4_102_444_800

    /// By batch.
    static func found(_ batches: [SentBatch], by client: MillraceClient) async throws(MillraceError) -> [Int64: Found] {
        var found: [Int64: Found] = [:]
        for (table, batches) in Dictionary(grouping: batches, by: \.table) {
            for start in stride(from: 0, to: batches.count, by: keysMax) {
                let keys = batches[start..<min(start + keysMax, batches.count)].map(\.id)
                let answer = try await client.get(
                    "\(table)_audit", keys: ColumnBatch([Column("batch", keys)]), at: table == .payments ? end * 1_000_000 : end)
                for (row, key) in answer.rowNumbers.enumerated() {
                    guard case .integer(let lines)? = answer.rows["lines"]?[row] else { continue }
                    if case .decimal(let total)? = answer.rows["total"]?[row] {
                        found[keys[key]] = Found(lines: lines, total: total)
                    } else {
                        found[keys[key]] = Found(lines: lines)
                    }
                }
                for key in keys where found[key] == nil { found[key] = Found() }
            }
        }
        return found
    }

    /// A server that nobody loads has every acknowledged batch once, the others once or not at all, and of those that were not applied nothing.
    static func check(_ world: World, by client: MillraceClient, _ when: String) async throws {
        let known = world.history.snapshot
        let applied = known.applied.values.map(\.batch)
        let all = applied + known.outstanding.values + known.lost.values
        let found = try await found(all, by: client)
        do throws(DamagedBatch) {
            for batch in applied where !batch.okLines.isEmpty {
                if try !found[batch.id]!.isWhole(batch) {
                    let place = known.places[batch.id]!
                    throw DamagedBatch("batch \(batch.id) was acknowledged at \(place.sequence), and is lost")
                }
            }
            for batch in known.outstanding.values { _ = try found[batch.id]!.isWhole(batch) }
            for batch in known.lost.values where try found[batch.id]!.isWhole(batch) {
                throw DamagedBatch("batch \(batch.id) was not there after its connection was lost, and is now")
            }
        } catch {
            world.violated("\(when): \(error)")
        }
    }
}
