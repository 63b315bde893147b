import Synchronization

/// What all shards hold together, told by each core for its own.
final class StateInquiry: Sendable {
    struct Figures: Sendable {
        /// By state of the plan in force.
        var keys: [Int]
        var bytes = 0
    }

    private struct State {
        var figures: Figures
        var coresToTell: Int
    }

    private let state: Mutex<State>
    private let tell: @Sendable (Figures) -> Void

    /// `tell` is called once, by the last core.
    init(states: Int, cores: Int, tell: @escaping @Sendable (Figures) -> Void) {
        state = Mutex(State(figures: Figures(keys: Array(repeating: 0, count: states)), coresToTell: cores))
        self.tell = tell
    }

    func add(keys: [Int], bytes: Int) {
        let whole: Figures? = state.withLock { state in
            for (number, keys) in keys.enumerated() { state.figures.keys[number] += keys }
            state.figures.bytes += bytes
            state.coresToTell -= 1
            return state.coresToTell == 0 ? state.figures : nil
        }
        if let whole { tell(whole) }
    }
}
