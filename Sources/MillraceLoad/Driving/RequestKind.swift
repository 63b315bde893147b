import Wire

/// What is asked of the server.
enum RequestKind: Int, CaseIterable, Sendable {
    case compute, ingest, evaluate, get
    /// Not a request: rows that a subscription pushes, by connections that do nothing else.
    case subscribe

    var name: String {
        switch self {
        case .compute: "compute"
        case .ingest: "ingest"
        case .evaluate: "evaluate"
        case .get: "get"
        case .subscribe: "subscribe"
        }
    }

    /// The frame that asks for it.
    var frame: FrameKind {
        switch self {
        case .compute: .compute
        case .ingest: .ingest
        case .evaluate: .evaluate
        case .get: .get
        case .subscribe: .subscribe
        }
    }

    static func named(_ name: String) -> RequestKind? { allCases.first { $0.name == name } }
}
