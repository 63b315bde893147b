import Wire

/// One text of definitions.
public struct DefinitionsText: Hashable, Sendable {
    /// What diagnostics call it: a file's path.
    public var name: String
    public var text: String

    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

/// What became of definitions that a server was given.
public struct DefinitionsOutcome: Hashable, Sendable {
    /// They are in force. If not, they are wrong (`hasErrors`), compute what those in force do, or were for a dry run.
    public var isApplied: Bool
    /// They are wrong, and nothing has happened; `report` says where.
    public var hasErrors: Bool
    /// The version in force, counted from 1 since the server started.
    public var definitions: UInt32
    /// What is kept, added, dropped and started afresh, column by column; or what is wrong, as `file:line:column` and a caret.
    public var report: String
    /// Of a dry run: bytes of the server's state now, and as expected when the new definitions have filled theirs.
    public var memoryBytesBefore: Int
    public var memoryBytesAfter: Int
}

extension MillraceClient {
    /// Puts these definitions in force instead of the server's, as a whole or not at all, at one place of its sequence; columns
    /// that compute the same as before keep their state. Answers tell by `Answer.definitions` which version they are of.
    ///
    /// - Parameter dryRun: Compiles, says what would happen, and changes nothing.
    /// - Throws: `.overloaded` where too many are waiting to be applied. Definitions with errors are not thrown.
    public func apply(_ sources: [DefinitionsText], dryRun: Bool = false) async throws(MillraceError) -> DefinitionsOutcome {
        let apply = Apply(sources: sources.map { Apply.Source(name: $0.name, text: $0.text) }, isDryRun: dryRun)
        let body = ControlMessage.apply(apply).encode()
        guard body.count <= FrameKind.apply.bodyBytesMax else {
            throw MillraceError(
                code: .tooLarge,
                message: "definitions of \(body.count) bytes: a server takes \(FrameKind.apply.bodyBytesMax) at once")
        }
        let frames = try await session().request(
            .init(kind: .apply, channel: 0, body: body, expectation: .control(.applied), isChange: !dryRun))
        guard case .applied(let applied) = try frames[0].expectedControl() else { throw .unexpected(frames[0]) }
        return DefinitionsOutcome(
            isApplied: applied.isApplied, hasErrors: applied.hasErrors, definitions: applied.definitions,
            report: applied.report, memoryBytesBefore: Int(applied.memoryBytesBefore),
            memoryBytesAfter: Int(applied.memoryBytesAfter))
    }
}
