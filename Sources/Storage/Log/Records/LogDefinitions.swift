import Bounds
import Wire

/// From here on these definitions are in force.
public struct LogDefinitions: Hashable, Sendable {
    public var version: UInt32
    /// Names and texts of the files, in the order in which they were compiled.
    public var sources: [Apply.Source]

    public init(version: UInt32, sources: [Apply.Source]) {
        self.version = version
        self.sources = sources
    }
}

/// Body:
///
///     0        4      8
///     version  count  name and text of each source, as texts; zeros up to a multiple of 8
extension LogDefinitions {
    func encode() -> LogBytes {
        var body = BodyWriter()
        body.append(version)
        body.append(UInt32(sources.count))
        for source in sources {
            body.append(text: source.name)
            body.append(text: source.text)
        }
        return body.finish()
    }

    init(_ body: inout BodyReader) throws(BodyProblem) {
        version = try body.number()
        let count: UInt32 = try body.number()
        sources = []
        for _ in 0..<count {
            let name = try body.text()
            sources.append(Apply.Source(name: name, text: try body.text()))
        }
        try body.end()
    }
}
