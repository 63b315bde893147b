/// What the answer to a batch waits for; so do the pushes that it causes.
public enum Durability: String, Sendable, CaseIterable {
    /// Nothing. With a data directory the log is written all the same, as soon as may be.
    case memory
    /// The operating system has the batch's bytes: they outlive this process, not the machine.
    case written
    /// The disk has said that it has them (fdatasync): they outlive a loss of power.
    case synced
}
