import Plan
import Synchronization

/// A new set of definitions on its way into force, at one place of the sequence for all cores.
///
///     announced ─► every core puts what it has prepared into the sequence, prepares nothing more, and acknowledges
///               ─► the last to acknowledge appends the entry `.definitions`: before it everything was prepared with the
///                  old definitions, behind it everything with the new ones
///               ─► each core passes the entry with all its cursors at once (`Core.passChange`)
///               ─► the last to pass it reports
///
/// Nobody waits for another core but in its loop, so one thread may drive several cores.
final class DefinitionsChange: Sendable {
    let catalog: Catalog
    let transition: Transition
    private let coresToAcknowledge: Atomic<Int>
    private let coresToPass: Atomic<Int>

    init(to catalog: Catalog, by transition: Transition, cores: Int) {
        self.catalog = catalog
        self.transition = transition
        coresToAcknowledge = Atomic(cores)
        coresToPass = Atomic(cores)
    }

    /// True for the last core.
    func acknowledge() -> Bool {
        coresToAcknowledge.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }

    /// True for the last core.
    func pass() -> Bool { coresToPass.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}
