/// From when on a column's answers are what they would be if its definition had always been there. What is missing until then
/// follows from the definitions and from how far the stream was when they changed; the times themselves are known when that
/// has happened.
public struct Coverage: Hashable, Sendable {
    /// A time told from a stream's greatest event time at a change of definitions.
    public struct Moment: Hashable, Sendable {
        /// `Plan.generation` of the plan that the change led to.
        public var generation: Int
        /// In the event time's unit.
        public var offset: Int64

        public init(generation: Int, offset: Int64) {
            self.generation = generation
            self.offset = offset
        }
    }

    /// Events behind the latest of these times are answered in full.
    public var moments: [Moment] = []
    /// A key's answers are complete once so many more of its rows have come.
    public var rows: Int64 = 0
    /// An unbounded frame lacks what came before, and will.
    public var isPartial = false
    /// Joined tables that have to be sent again.
    public var tables: [String] = []

    public init() {}

    public static let complete = Coverage()
    public var isComplete: Bool { self == .complete }

    /// Lacks what one of the two lacks.
    mutating func add(_ other: Coverage) {
        for moment in other.moments { add(moment) }
        rows = max(rows, other.rows)
        isPartial = isPartial || other.isPartial
        for table in other.tables where !tables.contains(table) { tables.append(table) }
    }

    /// Event time never goes back: of two moments a later change's with an offset as great is the later one.
    mutating func add(_ moment: Moment) {
        if moments.contains(where: { $0.generation >= moment.generation && $0.offset >= moment.offset }) { return }
        moments.removeAll { $0.generation <= moment.generation && $0.offset <= moment.offset }
        moments.append(moment)
    }

    /// Of what looks back so far over it.
    func reaching(back distance: Int64) -> Coverage {
        var result = self
        for index in moments.indices {
            result.moments[index].offset = moments[index].offset.addingClamped(distance)
        }
        return result
    }

    /// The event time behind which answers are complete, where that is a matter of time: nil where they all are.
    ///
    /// - Parameter newest: the stream's greatest event time when a generation's definitions took effect; nil where no event
    ///   had come.
    public func completeAfter(newest: (_ generation: Int) -> Int64?) -> Int64? {
        moments.compactMap { moment in newest(moment.generation).map { $0.addingClamped(moment.offset) } }.max()
    }
}
