/// What became of definitions that a server was given.
public struct ApplyOutcome: Hashable, Sendable {
    public enum Result: Hashable, Sendable {
        /// They are in force.
        case applied
        /// They compute what those in force do: nothing has happened.
        case unchanged
        /// A dry run: they could be applied.
        case checked
        /// They have errors: nothing has happened.
        case wrong
        /// The server cannot take them now: others wait before them, or it is shutting down.
        case unavailable
    }

    public var result: Result
    /// The version in force.
    public var definitions: UInt32
    /// What is kept, added, dropped and started afresh; or what is wrong, with its places. Lines of text.
    public var report: String
    /// Of a dry run: bytes of the state now, and as expected when the definitions have filled theirs.
    public var memoryBytesBefore = 0
    public var memoryBytesAfter = 0
}
