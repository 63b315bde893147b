/// One of a core's sessions that is pushed what a view answers.
struct Subscriber {
    var session: Session
    var channel: UInt32
    var requestID: UInt64
    /// The first place of the sequence that is pushed.
    var from: UInt64
}
