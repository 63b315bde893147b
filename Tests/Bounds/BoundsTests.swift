import Bounds
import Testing

@Test func `the limits do not contradict one another`() {
    Bounds.checkRelations()
}
