import Testing

@testable import Engine
@testable import Runtime

@Suite struct SnapshotRunTests {
    private func piece(_ count: Int) -> ImagePiece { ImagePiece(.allocate(byteCount: count, alignment: 8)) }

    private let place = SnapshotRun.Place(sequence: 9, definitionsVersion: 1, wallMicroseconds: 0)

    @Test func `the last core to pass is told so, and the place is known when all have completed`() {
        let run = SnapshotRun(number: 1, cores: 3, queueBytesMax: 100)
        #expect([run.pass(), run.pass(), run.pass()] == [false, false, true])
        for _ in 0..<2 {
            run.complete(at: place)
            #expect(run.place == nil && !run.isOver)
        }
        run.complete(at: place)
        #expect(run.place?.sequence == 9)
        #expect(run.isOver)
    }

    @Test func `the queue has room until it is full, and again when it has been taken`() {
        let run = SnapshotRun(number: 1, cores: 1, queueBytesMax: 100)
        run.hand(piece(99))
        #expect(run.hasRoom)
        run.hand(piece(50))
        #expect(!run.hasRoom)
        #expect(run.takePieces().map(\.bytes.count) == [99, 50])
        #expect(run.hasRoom)
        #expect(run.takePieces().isEmpty)
    }

    @Test func `it is taken when every core has handed over everything`() {
        let run = SnapshotRun(number: 1, cores: 2, queueBytesMax: 100)
        run.finish()
        #expect(!run.isTaken)
        run.finish()
        #expect(run.isTaken)
    }

    @Test func `the first reason holds, and it is over when no core will look at it`() {
        let run = SnapshotRun(number: 1, cores: 1, queueBytesMax: 100)
        run.abandon("one")
        run.abandon("two")
        #expect(run.isAbandoned)
        #expect(run.reason == "one")
        #expect(!run.isOver)
        run.drop()
        #expect(run.isOver)
    }

    @Test func `one that is not needed ends without a reason`() {
        let run = SnapshotRun(number: 1, cores: 1, queueBytesMax: 100)
        run.cancel()
        #expect(run.isAbandoned && run.reason == nil)
    }
}
