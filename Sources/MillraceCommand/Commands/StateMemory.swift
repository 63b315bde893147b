import ArgumentParser
import Bytes

/// The bound of the state of all keys, against what the cores that share it can work with.
enum StateMemory {
    static let coreBytesMin = 1 << 20

    static func check(_ memory: ByteSize, cores: Int) throws {
        let least = ByteSize(bytes: coreBytesMin * cores)
        let most = ByteSize(bytes: Arena.bytesMax * cores)
        if memory.bytes < least.bytes || memory.bytes > most.bytes {
            throw ValidationError("--memory must be from \(least) to \(most) with \(cores) cores, not \(memory)")
        }
    }
}
