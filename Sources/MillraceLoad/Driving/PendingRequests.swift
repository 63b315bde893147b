/// One request that has been sent, or waits for the socket to take it.
struct PendingRequest {
    var kind = RequestKind.compute
    /// When it was meant to be sent, in monotonic nanoseconds.
    var intended: UInt64 = 0
    var rows: Int32 = 0
    /// Results so far: the view that comes next.
    var results: Int32 = 0
    /// Place in the log of answers; -1: not logged.
    var logged: Int32 = -1
    var isOpen = false
    /// Which of the plan's sources it came from: their channel.
    var channel: UInt32 = 0
}

/// The requests of one connection that have no answer yet, by their ids, which count up from 1. At most `capacity` ids lie
/// between the oldest and the next one.
struct PendingRequests {
    private var slots: [PendingRequest]
    private let mask: UInt64
    private(set) var count = 0
    private(set) var nextID: UInt64 = 1

    init(capacity: Int) {
        var size = 1
        while size < capacity { size *= 2 }
        slots = Array(repeating: PendingRequest(), count: size)
        mask = UInt64(size - 1)
    }

    /// Ids below `id` were given to requests that are over.
    mutating func skip(to id: UInt64) {
        precondition(count == 0 && id >= nextID)
        nextID = id
    }

    /// The slot of the next id is free: answers that come out of order can leave an old one in it.
    var hasRoom: Bool { !slots[Int(nextID & mask)].isOpen }

    mutating func add(_ request: PendingRequest) -> UInt64 {
        precondition(hasRoom, "requests under way are bounded")
        let id = nextID
        nextID += 1
        slots[Int(id & mask)] = request
        slots[Int(id & mask)].isOpen = true
        count += 1
        return id
    }

    /// nil where no request of that id is under way.
    func find(_ id: UInt64) -> PendingRequest? {
        guard id > 0, id < nextID, nextID - id <= mask + 1 else { return nil }
        let request = slots[Int(id & mask)]
        return request.isOpen ? request : nil
    }

    mutating func resultArrived(_ id: UInt64) { slots[Int(id & mask)].results += 1 }

    mutating func close(_ id: UInt64) {
        slots[Int(id & mask)].isOpen = false
        count -= 1
    }

    /// Those that are still under way, oldest first.
    var open: [PendingRequest] {
        let first = nextID > mask + 1 ? nextID - mask - 1 : 1
        return (first..<nextID).compactMap { find($0) }
    }
}
