import ArgumentParser
import Bounds

enum CoreCount {
    static func check(_ cores: Int) throws {
        if !(1...Bounds.coresMax).contains(cores) {
            throw ValidationError("--cores must be from 1 to \(Bounds.coresMax), not \(cores)")
        }
    }
}
