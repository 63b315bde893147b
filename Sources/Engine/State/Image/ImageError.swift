import Plan

/// A piece of an image that cannot be loaded: damaged, of other definitions, or of another release. The shard that was
/// being loaded is of no use any more.
public struct ImageError: Error, Hashable, CustomStringConvertible {
    /// Which piece, as the caller counts them; nil: the image as a whole.
    public var piece: Int?
    /// State or join table; nil where the piece is of neither.
    public var place: ForcedRefusal.Place?
    /// In the piece, where it was noticed.
    public var offset: Int
    public var reason: String

    init(_ reason: String, piece: Int? = nil, place: ForcedRefusal.Place? = nil, at offset: Int = 0) {
        (self.reason, self.piece, self.place, self.offset) = (reason, piece, place, offset)
    }

    /// The piece is good, and the shard's memory too small for it.
    public var isMemoryFull: Bool { reason == ImageFault.memoryFull.what }

    public var description: String { text(place.map { "\($0)" }) }

    /// With the state's name: `image, piece 3 (payments by card_id), byte 17: its rows are not in order`.
    public func description(in plan: Plan) -> String {
        switch place {
        case .state(let number):
            let names = plan.stateNames
            return text(number < names.count ? names[number] : "state \(number)")
        case .joinTable(let number):
            guard number < plan.joinTables.count else { return text("join table \(number)") }
            return text("join table \(plan.definitions.tables[plan.joinTables[number].table].name)")
        case nil: return text(nil)
        }
    }

    private func text(_ place: String?) -> String {
        guard let piece else { return "image: \(reason)" }
        return "image, piece \(piece)\(place.map { " (\($0))" } ?? ""), byte \(offset): \(reason)"
    }
}

/// What is wrong at the place where a reader stands.
struct ImageFault: Error {
    let what: String

    /// Never inlined: texts are made where something is wrong only.
    @inline(never)
    init(_ what: @autoclosure () -> String) { self.what = what() }
}
