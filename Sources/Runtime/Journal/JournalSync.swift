import Linux
import Storage

/// Syncs the log, beside the journal that writes on meanwhile: the next sync starts when the last one has ended, with
/// everything written by then.
final class JournalSync: Loop {
    private let exchange: Exchange
    private let share: JournalExchange

    init(exchange: Exchange, share: JournalExchange) {
        self.exchange = exchange
        self.share = share
    }

    func run() {
        do throws(SystemError) {
            try turn()
        } catch {
            exchange.fail("the log cannot be synced: \(error)")
        }
    }

    private func turn() throws(SystemError) {
        let poll = try EventPoll(eventsMax: 1)
        try poll.add(share.syncBell.number, .read, token: 0)
        while !hasEnded {
            if step() { continue }
            share.syncBell.sleep(unless: { share.hasSyncOrder || hasEnded }) {
                poll.wait(timeoutMilliseconds: -1) { _ in share.syncBell.clear() }
            }
        }
    }

    var hasEnded: Bool { exchange.hasFailed || share.isSyncOver }

    /// Carries out the order that waits; false where none does.
    func step() -> Bool {
        guard !exchange.hasFailed, let order = share.takeSyncOrder() else { return false }
        let time = exchange.configuration.time
        let start = time.monotonicNanoseconds()
        do throws(DiskError) {
            try order.sync.perform()
        } catch {
            // What the disk holds is not known any more: it is not tried again, and nobody is told anything further.
            exchange.fail("a sync of the log failed, and nothing more is acknowledged: \(error)")
            return false
        }
        let now = time.monotonicNanoseconds()
        share.measure { $0.count(syncNanoseconds: now &- start, now: now) }
        if share.durability == .synced {
            share.moveDurablePlace(to: order.place)
            exchange.wakeForDurablePlace()
        }
        share.synced(order.sync)
        return true
    }
}
