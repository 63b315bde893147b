import Glibc
import Testing

@testable import Bytes

@Test func `a size class holds what it is asked to hold, with at most an eighth to spare past 512 bytes`() {
    for bytes in 1...SizeClass.bytesMax {
        let size = SizeClass(holding: bytes).bytes
        #expect(size >= bytes && (bytes <= 512 || size * 8 <= bytes * 9 + 8), "\(bytes) bytes in \(size)")
        if size < bytes { return }
    }
}

@Test func `every size class is the class of its own size`() {
    for index in 0..<SizeClass.count { #expect(SizeClass(holding: SizeClass(index: index).bytes).index == index) }
}

@Test func `blocks do not overlap, and all bytes come back`() {
    var arena = Arena(limitBytes: 64 << 20)
    var blocks: [(granule: UInt32, bytes: Int, mark: UInt8)] = []
    var state: UInt64 = 42
    for round in 0..<4000 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let choice = Int(state >> 33)
        if blocks.count > 50 && choice % 3 == 0 {
            let block = blocks.remove(at: choice % blocks.count)
            let bytes = UnsafeRawBufferPointer(start: arena.address(block.granule), count: block.bytes)
            #expect(bytes.allSatisfy { $0 == block.mark })
            arena.free(block.granule, bytes: block.bytes)
        } else {
            let bytes = round % 100 == 0 ? 300_000 : 1 + choice % 2000
            let granule = arena.allocate(bytes)
            #expect(granule != 0)
            if granule == 0 { continue }
            let mark = UInt8(truncatingIfNeeded: round)
            arena.address(granule).initializeMemory(as: UInt8.self, repeating: mark, count: bytes)
            blocks.append((granule, bytes, mark))
        }
    }
    for block in blocks { arena.free(block.granule, bytes: block.bytes) }
    #expect(arena.usedBytes == 0)
}

@Test func `a full arena says so and goes on when something was freed`() {
    var arena = Arena(limitBytes: 1 << 20)
    var granules: [UInt32] = []
    while true {
        let granule = arena.allocate(64 << 10)
        if granule == 0 { break }
        granules.append(granule)
    }
    #expect(granules.count >= 12 && arena.spanBytesInUse == 1 << 20)
    arena.free(granules.removeLast(), bytes: 64 << 10)
    #expect(arena.allocate(64 << 10) != 0)
}

@Test func `a block lies in no more cache lines than it needs`() {
    for index in 0..<SizeClass.count {
        let bytes = SizeClass(index: index).bytes
        let lines = (bytes + 63) / 64
        // 48 bytes are the exception: one block in two crosses a line.
        if bytes == 48 { continue }
        for block in 0..<64 {
            let (first, last) = (block * bytes, (block + 1) * bytes - 1)
            #expect(last / 64 - first / 64 + 1 <= lines, "\(bytes) bytes, block \(block)")
        }
    }
}

@Test func `as much memory is made ready as is in use, to a bound, and goes with it`() {
    let limit = 64 << 20
    var arena = Arena(limitBytes: limit)
    arena.makeSpanReady()
    var ready = arena.idleCount
    #expect(ready == 0, "nothing is in use")
    var runs: [UInt32] = []
    for _ in 0..<10 { runs.append(arena.allocate(Arena.spanBytes * 2)) }
    for _ in 0..<40 { arena.makeSpanReady() }
    ready = arena.idleCount
    #expect(ready == limit / 16 / Arena.spanBytes, "less than is in use: a sixteenth of the bound")
    // They are what is taken next, and made ready again.
    let block = arena.allocate(64)
    let left = arena.idleCount
    #expect(block != 0 && left == ready - 1)
    arena.makeSpanReady()
    let again = arena.idleCount
    #expect(again == ready)
    for run in runs { arena.free(run, bytes: Arena.spanBytes * 2) }
    let (idle, bytes) = (arena.idleCount, arena.spanBytesInUse)
    #expect(idle <= 16 && bytes == Arena.spanBytes)
    // To the last span: what is ready is there to be taken. One holds the block, and the first is left to small ones.
    var blocks = 0
    while arena.allocate(Arena.spanBytes) != 0 {
        arena.makeSpanReady()
        blocks += 1
    }
    #expect(blocks == limit / Arena.spanBytes - 2)
}

@Test func `memory that an arena was begun with is kept`() {
    let spans = 100
    var arena = Arena(limitBytes: 64 << 20, populatedBytes: spans * Arena.spanBytes - 1)
    // Of all of the first spans: that they have memory shows where nothing is touched.
    let resident = residentBytes(of: arena.base, count: 64 << 20)
    #expect(resident >= spans * Arena.spanBytes, "\(resident)")
    var runs: [UInt32] = []
    for _ in 0..<spans / 2 { runs.append(arena.allocate(Arena.spanBytes * 2)) }
    for run in runs { arena.free(run, bytes: Arena.spanBytes * 2) }
    let (inUse, left) = (arena.spanBytesInUse, residentBytes(of: arena.base, count: 64 << 20))
    #expect(inUse == 0 && left >= resident, "\(left) of \(resident)")
}

/// What of a range has memory, as the system says.
private func residentBytes(of start: UnsafeMutableRawPointer, count: Int) -> Int {
    let page = 4096
    var pages = [UInt8](repeating: 0, count: count / page)
    #expect(mincore(start, count, &pages) == 0)
    return pages.count { $0 & 1 != 0 } * page
}
