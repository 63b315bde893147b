/// What a state of a plan begins with.
public enum StateOrigin: Hashable, Sendable {
    /// Nothing: no key is known.
    case fresh
    /// The old plan's state as it stands: keys, logs and totals mean the same and lie where they lay.
    case continued(state: Int)
    /// The old plan's keys, each of which is brought up to date on its own before it is used.
    case updated(state: Int, KeyUpdate)

    /// The old plan's state.
    public var state: Int? {
        switch self {
        case .fresh: nil
        case .continued(let state), .updated(let state, _): state
        }
    }
}

/// How a key's record and log become those of another layout.
///
/// First the key gives up what the old plan had no use for when definitions changed, so that nothing depends on when its turn
/// comes. Then, unless everything lies where it lay, columns and totals are copied, or made from others, or empty.
public struct KeyUpdate: Hashable, Sendable {
    /// What fills an input's columns.
    public enum Source: Hashable, Sendable {
        /// No row has a value.
        case nothing
        /// The old layout's input. `companion`: rows in which that one has no value have none.
        case input(Int, companion: Int?)
        /// The rows' times.
        case time
        /// A column that breaks ties.
        case tieBreaker(Int)
    }

    public struct Input: Hashable, Sendable {
        public var source: Source
        /// What given-up rows had counts on: the old input is this one, and nothing else.
        public var carriesTotals: Bool
    }

    /// Unbounded frames, of which there were none, begin with the rows that are kept.
    public var setsFloor: Bool
    /// By input of the new layout; nil where everything stays where it is.
    public var inputs: [Input]?
    /// By fold of the new layout: the old layout's.
    public var folds: [Int?] = []
}

/// What a join table of a plan begins with.
public enum JoinTableOrigin: Hashable, Sendable {
    case fresh
    /// The old plan's rows.
    case continued(table: Int)
}
