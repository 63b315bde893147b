import Bounds
import Bytes

/// A shard's state from an image, which any number of shards has written.
///
///     var shard = Shard(plan: compiled, …)            of the plan that the image is of
///     for piece in pieces { try shard.load(piece) }   all pieces of all shards, the beginnings first
///     try shard.finishLoading()
///
/// From then on it answers, to the last bit, as the shards would have that wrote it.
extension Shard {
    /// Takes what is this shard's out of a piece. Pieces may come in any order; memory is best laid out where the beginnings come
    /// before the rest. Throws where the piece is not whole or not of this plan, or where memory does not suffice: the
    /// shard is of no use then.
    ///
    /// - Parameter number: of the piece, for the error's text.
    public mutating func load(_ piece: UnsafeRawBufferPointer, number: Int = 0) throws(ImageError) {
        var reader = ImageReader(piece)
        var place: ForcedRefusal.Place?
        do {
            let header = try ImageHeader(&reader)
            switch header.kind {
            case .state: place = .state(header.number)
            case .joinTable: place = .joinTable(header.number)
            case .beginning, .end: place = nil
            }
            try load(header, &reader)
        } catch {
            throw ImageError(error.what, piece: number, place: place, at: reader.offset)
        }
    }

    private mutating func load(_ header: ImageHeader, _ reader: inout ImageReader) throws(ImageFault) {
        try loading.begin(header)
        switch header.kind {
        case .beginning: try loadBeginning(&reader)
        case .end: try loading.end(header, &reader)
        case .state:
            guard header.number < partitionCount else { throw ImageFault("the definitions have no such state") }
            guard header.fingerprint == partitions[header.number].code.fingerprint else { throw .otherLayout }
            loading.count(header.keyCount, of: header.number, shard: header.shard)
            // As many shards have written it: those keys are one's alone.
            if header.shardCount == count && header.shard != index { return }
            try partitions[header.number].load(
                header.keyCount, from: &reader, owner: KeyOwner(shard: index, shardCount: count), memory: &memory)
        case .joinTable:
            guard header.number < joinTableCount else { throw ImageFault("the definitions have no such joined table") }
            guard header.fingerprint == joinTables[header.number].fingerprint else { throw .otherLayout }
            loading.count(header.keyCount, of: partitionCount + header.number, shard: header.shard)
            try joinTables[header.number].load(header.keyCount, from: &reader, arena: &memory.arena)
        }
    }

    /// What all shards know alike, and how many keys there will be about.
    private mutating func loadBeginning(_ reader: inout ImageReader) throws(ImageFault) {
        guard try reader.take(UInt32.self) == UInt32(partitionCount), try reader.take(UInt32.self) == UInt32(joinTableCount)
        else { throw .otherLayout }
        for number in 0..<partitionCount {
            let keys = Int(clamping: try reader.take(UInt64.self))
            let all = loading.expect(keys, at: number)
            let own = loading.shardCount == count ? keys : all / count
            let isOwn = loading.shardCount != count || loading.beginning == index
            if isOwn && own <= memory.arena.limitBytes / 64 { partitions[number].index.reserve(own, in: &memory.arena) }
        }
        for number in 0..<joinTableCount {
            let all = loading.expect(Int(clamping: try reader.take(UInt64.self)), at: partitionCount + number)
            if all <= memory.arena.limitBytes / 64 { joinTables[number].index.reserve(all, in: &memory.arena) }
        }
        guard try reader.take(UInt32.self) == UInt32(newest.count) else { throw .otherLayout }
        var times: [Int64] = []
        for _ in newest { times.append(try reader.take(Int64.self)) }
        let among = Int(try reader.take(UInt32.self))
        guard among > 0 && among <= Bounds.coresMax, try reader.take(UInt32.self) == UInt32(admission.marks.count) else {
            throw .otherLayout
        }
        var marks: [UInt64] = []
        for _ in admission.marks { marks.append(try reader.take(UInt64.self)) }
        if reader.left > 0 { throw ImageFault("there is more in it than there should be") }
        let marked = Admission(shardCount: among, marks: marks)
        if loading.hasBeginning {
            guard times == newest && marked == admission else { throw ImageFault("its shards are not at the same place") }
        }
        (newest, admission, loading.hasBeginning) = (times, marked, true)
    }

    /// All pieces are loaded. Throws where some are missing.
    public mutating func finishLoading() throws(ImageError) {
        if let missing = loading.missing { throw ImageError(missing) }
        loading = ImageLoading(places: partitionCount + joinTableCount)
    }
}

extension ImageFault {
    static var otherLayout: ImageFault { ImageFault("it is of other definitions: its state is laid out otherwise") }
}
