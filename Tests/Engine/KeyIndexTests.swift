import Bytes
import Plan
import Testing
import Values

@testable import Engine

/// The index of keys on its own, against a dictionary: records are numbers that nothing lies behind.
@Suite struct KeyIndexTests {
    /// An index beside what should be in it. Every step of it is held against the bound on the work of one.
    private struct Bench: ~Copyable {
        var index = KeyIndex()
        var arena: Arena
        var hashes: [UInt32: UInt32] = [:]
        private var records: [UInt32] = []
        private var places: [UInt32: Int] = [:]
        private var nextRecord: UInt32 = 1

        init(limitBytes: Int = 64 << 20) { arena = Arena(limitBytes: limitBytes) }

        deinit { index.deallocate() }

        /// False where the arena has no room.
        mutating func insert(_ hash: UInt32) -> Bool {
            let before = work
            guard index.reserve(hash: hash, in: &arena) else {
                checkWork(before, slots: 0)
                return false
            }
            index.insert(nextRecord, hash: hash)
            // A segment doubles, or one splits; at most two in a row, where all keys of the first went to one side.
            checkWork(before, slots: 4 * StateLayout.indexSegmentSlots)
            hashes[nextRecord] = hash
            places[nextRecord] = records.count
            records.append(nextRecord)
            nextRecord += 1
            return true
        }

        mutating func remove(_ record: UInt32) {
            let before = work
            index.remove(record, hash: hashes[record]!, in: &arena)
            // Joined segments may be joined with the next one.
            checkWork(before, slots: 2 * StateLayout.indexSegmentSlots)
            hashes[record] = nil
            forget(record)
        }

        mutating func replace(_ record: UInt32) {
            index.replace(record, by: nextRecord, hash: hashes[record]!)
            hashes[nextRecord] = hashes[record]
            hashes[record] = nil
            places[nextRecord] = records.count
            records.append(nextRecord)
            forget(record)
            nextRecord += 1
        }

        private mutating func forget(_ record: UInt32) {
            let place = places.removeValue(forKey: record)!
            let last = records.removeLast()
            if last == record { return }
            records[place] = last
            places[last] = place
        }

        func any(_ random: inout SeededRandom) -> UInt32? { records.randomElement(using: &random) }

        private var work: (slots: Int, places: Int) { (index.visitedSlots, index.visitedPlaces) }

        private func checkWork(_ before: (slots: Int, places: Int), slots: Int) {
            let (seen, places) = (index.visitedSlots - before.slots, index.visitedPlaces - before.places)
            if seen > slots || places > 4 << index.depth { Issue.record("\(seen) slots, \(places) places in one step") }
        }

        /// As the engine looks keys up.
        func holds(_ record: UInt32, hash: UInt32) -> Bool {
            let segment = index.segment(of: hash)
            var slot = Int(hash) & index.mask
            for _ in 0...index.mask where segment[slot].record != 0 {
                if segment[slot].hash == hash && segment[slot].record == record { return true }
                slot = (slot + 1) & index.mask
            }
            return false
        }

        /// Every key is found, and nothing else is there.
        func check(_ place: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
            if let fault { Issue.record("\(fault) \(place)", sourceLocation: sourceLocation) }
        }

        private var fault: String? {
            if index.count != hashes.count { return "\(index.count) keys, not \(hashes.count)" }
            for (record, hash) in hashes where !holds(record, hash: hash) { return "record \(record) is not found" }
            var position = KeyIndex.Position()
            var seen: [UInt32: UInt32] = [:]
            for _ in 0..<index.slotCount {
                let slot = index.advance(&position)
                if slot.record != 0, seen.updateValue(slot.hash, forKey: slot.record) != nil { return "a slot is there twice" }
            }
            if seen != hashes { return "a walk sees other keys" }
            let segmentBytes = Arena.blockBytes((index.mask + 1) * 8)
            let directoryBytes = index.depth == 0 ? 0 : Arena.blockBytes(12 << index.depth)
            let bytes = index.mask == 0 ? 0 : index.segmentCount * segmentBytes + directoryBytes
            return arena.usedBytes == bytes ? nil : "\(arena.usedBytes) bytes are used, not \(bytes)"
        }
    }

    @Test(arguments: 0..<2) func `keys are found whatever has come and gone`(seed: Int) {
        var random = SeededRandom(seed: seed)
        var bench = Bench()
        // Numbers of keys that it goes to, one after the other.
        for goal in [50, 3, 9_000, 12_000, 700, 120_000, 90_000, 180_000, 20_000, 60_000, 900, 40_000, 0, 10, 0] {
            while bench.hashes.count != goal {
                let isGrowing = bench.hashes.count < goal
                let dice = Int.random(in: 0..<100, using: &random)
                let one = bench.any(&random)
                if dice < 10, let one {
                    bench.replace(one)
                } else if let one, dice < 30 || !isGrowing && dice < 80 {
                    // Not the last key on the way up.
                    if bench.hashes.count > 1 || !isGrowing { bench.remove(one) }
                } else if isGrowing || dice >= 90 {
                    // Now and then a hash that another key has too.
                    let hash = dice == 99 ? one.flatMap { bench.hashes[$0] } : nil
                    let isTaken = bench.insert(hash ?? UInt32.random(in: 0 ... .max, using: &random))
                    #expect(isTaken)
                }
            }
            bench.check("at \(goal) keys")
        }
        #expect(bench.index.depth == 0 && bench.arena.usedBytes < 1_024)
    }

    @Test func `slots are in proportion to keys, and grow as steadily as they come`() {
        var random = SeededRandom(seed: 5)
        var bench = Bench()
        var segments = 1
        for count in 1...400_000 {
            _ = bench.insert(UInt32.random(in: 0 ... .max, using: &random))
            // Fewer than one key in thousands lets a segment split, and no two of them in a row.
            #expect(bench.index.segmentCount <= segments + 1)
            segments = bench.index.segmentCount
            if count >= 20_000 && count.isMultiple(of: 1_000) {
                let share = Double(count) / Double(bench.index.slotCount)
                #expect((0.3...0.55).contains(share), "\(count) keys in \(bench.index.slotCount) slots")
            }
        }
        bench.check()
    }

    @Test func `where the arena is full no key is lost, and there is room when others have gone`() {
        var random = SeededRandom(seed: 6)
        var bench = Bench(limitBytes: 6 << 20)
        var refused = 0
        while refused < 1_000 {
            if !bench.insert(UInt32.random(in: 0 ... .max, using: &random)) { refused += 1 }
        }
        #expect(bench.hashes.count > 40_000)
        bench.check()
        for _ in 0..<30_000 { bench.remove(bench.any(&random)!) }
        bench.check()
        refused = 0
        for _ in 0..<10_000 where !bench.insert(UInt32.random(in: 0 ... .max, using: &random)) { refused += 1 }
        #expect(refused == 0)
        bench.check()
        while let one = bench.any(&random) { bench.remove(one) }
        bench.check()
    }

    @Test func `hashes that begin alike fill one segment, and the directory stays bounded`() {
        var index = KeyIndex()
        var arena = Arena(limitBytes: 64 << 20)
        defer { index.deallocate() }
        var taken: UInt32 = 0
        // The last 14 bits name a slot.
        while index.reserve(hash: taken & 0x3FFF | 0xABCD_C000, in: &arena) {
            index.insert(taken + 1, hash: taken & 0x3FFF | 0xABCD_C000)
            taken += 1
        }
        #expect(Int(taken) == StateLayout.indexSegmentSlots - 1)
        #expect(index.depth == KeyIndex.depthMax && index.segmentCount == KeyIndex.depthMax + 1)
        // Others are taken as before.
        let isTaken = index.reserve(hash: 0xABCD_0000, in: &arena)
        #expect(isTaken)
        for record in (1...taken).reversed() {
            index.remove(record, hash: (record - 1) & 0x3FFF | 0xABCD_C000, in: &arena)
        }
        #expect(index.count == 0 && index.depth == 0 && arena.usedBytes < 1_024)
    }

    @Test func `a walk that takes keys out on its way comes by all of them`() {
        var random = SeededRandom(seed: 7)
        var bench = Bench()
        for _ in 0..<100_000 { _ = bench.insert(UInt32.random(in: 0 ... .max, using: &random)) }
        var position = KeyIndex.Position()
        var steps = 0
        while bench.index.count > 0 && steps < 2_000_000 {
            steps += 1
            let slot = bench.index.advance(&position)
            if slot.record == 0 { continue }
            bench.remove(slot.record)
            position.slot -= 1
            // And some come meanwhile.
            if bench.index.count > 50_000 && steps.isMultiple(of: 3) {
                _ = bench.insert(UInt32.random(in: 0 ... .max, using: &random))
            }
        }
        #expect(bench.index.count == 0)
        bench.check()
    }

    @Test(arguments: [0, 20, 100_000]) func `room is made for many keys at once, and all of it given back`(known: Int) {
        var random = SeededRandom(seed: 8)
        var bench = Bench()
        for _ in 0..<known { _ = bench.insert(UInt32.random(in: 0 ... .max, using: &random)) }
        bench.index.reserve(200_000, in: &bench.arena)
        #expect(bench.index.slotCount == 32 * StateLayout.indexSegmentSlots)
        bench.check()
        let before = bench.index.slotCount
        while bench.hashes.count < 150_000 { _ = bench.insert(UInt32.random(in: 0 ... .max, using: &random)) }
        #expect(bench.index.slotCount == before)
        bench.check()
        var position = KeyIndex.Position(hash: 0, slot: 0)
        while bench.index.release(&position, in: &bench.arena) {}
        #expect(bench.arena.usedBytes == 0)
    }
}
