import Bounds
import Values

/// One chunk of rows for each register that is a constant or made of constants only, computed once.
///
/// `@unchecked`: after `init` nobody writes.
final class ConstantPool: @unchecked Sendable {
    /// By register; only those of constants are meaningful.
    let vectors: UnsafeMutablePointer<Vector>
    private let registerCount: Int
    private let memory: UnsafeMutableRawPointer
    private let arena: UnsafeMutablePointer<TextArena>

    init(compiler: ProgramCompiler, places: [RegisterPlace]) {
        registerCount = compiler.types.count
        vectors = .allocate(capacity: max(1, registerCount))
        var bytes = 0
        var offsets: [Int] = []
        for (index, type) in compiler.types.enumerated() {
            offsets.append(bytes)
            if places[index] == .constant { bytes += Bounds.chunkRows * (type.form.stride + 1) }
        }
        memory = .allocate(byteCount: max(64, bytes), alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: max(64, bytes))
        arena = .allocate(capacity: 1)
        arena.initialize(to: TextArena())
        for (index, type) in compiler.types.enumerated() {
            let values = memory + (places[index] == .constant ? offsets[index] : 0)
            let nulls = (values + Bounds.chunkRows * type.form.stride).assumingMemoryBound(to: UInt8.self)
            vectors.advanced(by: index).initialize(to: Vector(values: values, nulls: nulls))
        }
        for (register, value) in compiler.constants { fill(vectors[Int(register)], with: value) }

        let strides = [Int](repeating: 0, count: registerCount)
        strides.withUnsafeBufferPointer { strides in
            guard let base = strides.baseAddress else { return }
            var executor = Executor(vectors: vectors, strides: base, objects: compiler.objects, arena: arena)
            executor.run(compiler.folded, rowCount: Bounds.chunkRows)
        }
    }

    deinit {
        vectors.deallocate()
        memory.deallocate()
        arena.deinitialize(count: 1)
        arena.deallocate()
    }

    private func fill(_ vector: Vector, with value: Scalar) {
        let rows = Bounds.chunkRows
        switch value {
        case .null: vector.nulls.update(repeating: NullByte.null, count: rows)
        case .boolean(let value): vector.booleans.update(repeating: value ? 1 : 0, count: rows)
        case .integer(let value): vector.integers.update(repeating: value, count: rows)
        case .double(let value): vector.doubles.update(repeating: value, count: rows)
        case .decimal(let value): vector.decimals.update(repeating: value, count: rows)
        case .interval(let value): vector.intervals.update(repeating: value, count: rows)
        case .text(let value):
            let reference = Array(value.utf8).withUnsafeBufferPointer { arena.pointee.copy($0) }
            precondition(reference != nil, "a constant text is shorter than a definitions text")
            vector.texts.update(repeating: reference!, count: rows)
        case .array: arraysAreResults()
        }
    }
}
