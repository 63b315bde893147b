import Values

/// One micro step over one chunk: the chunk's part of the registers it reads and writes.
///
/// Invariant that makes the pointers right: every vector holds at least `count` initialised values and null bytes, and the
/// output is none of the inputs, or the step is elementwise. A value beside a set null byte may be any bit pattern, so
/// closures given to `unary` and `binary` must not trap on any input, and text is only looked at where it is not NULL.
struct KernelFrame {
    let step: MicroStep
    let count: Int
    let output: Vector
    let a: Vector
    let b: Vector
    let c: Vector

    @inline(__always) func copyNulls() {
        output.nulls.update(from: a.nulls, count: count)
    }

    @inline(__always) func combineNulls() {
        let (result, left, right) = (output.nulls, a.nulls, b.nulls)
        for row in 0..<count { result[row] = left[row] | right[row] }
    }

    @inline(__always) func fail(_ failed: Bool, at row: Int) {
        output.nulls[row] |= failed && output.nulls[row] == NullByte.value ? NullByte.failure : 0
    }

    /// `output = f(a)`; NULL gives NULL.
    @inline(__always) func unary<A, R>(_ f: (A) -> R) {
        copyNulls()
        let (input, result) = (a.values.assumingMemoryBound(to: A.self), output.values.assumingMemoryBound(to: R.self))
        for row in 0..<count { result[row] = f(input[row]) }
    }

    /// As `unary`; a cell fails where the second part of the result is true.
    @inline(__always) func unaryOrFail<A, R>(_ f: (A) -> (R, Bool)) {
        copyNulls()
        let (input, result) = (a.values.assumingMemoryBound(to: A.self), output.values.assumingMemoryBound(to: R.self))
        for row in 0..<count {
            let (value, failed) = f(input[row])
            result[row] = value
            fail(failed, at: row)
        }
    }

    /// `output = f(a, b)`; NULL if either is.
    @inline(__always) func binary<A, B, R>(_ f: (A, B) -> R) {
        combineNulls()
        let (left, right) = (a.values.assumingMemoryBound(to: A.self), b.values.assumingMemoryBound(to: B.self))
        let result = output.values.assumingMemoryBound(to: R.self)
        for row in 0..<count { result[row] = f(left[row], right[row]) }
    }

    @inline(__always) func binaryOrFail<A, B, R>(_ f: (A, B) -> (R, Bool)) {
        combineNulls()
        let (left, right) = (a.values.assumingMemoryBound(to: A.self), b.values.assumingMemoryBound(to: B.self))
        let result = output.values.assumingMemoryBound(to: R.self)
        for row in 0..<count {
            let (value, failed) = f(left[row], right[row])
            result[row] = value
            fail(failed, at: row)
        }
    }

    /// For what is costly or must not see the bits beside a NULL: only rows with a value; nil fails.
    @inline(__always) func unaryOfValues<A, R>(_ f: (A) -> R?) {
        copyNulls()
        let (input, result) = (a.values.assumingMemoryBound(to: A.self), output.values.assumingMemoryBound(to: R.self))
        for row in 0..<count where output.nulls[row] == NullByte.value {
            if let value = f(input[row]) { result[row] = value } else { output.nulls[row] = NullByte.failure }
        }
    }

    @inline(__always) func binaryOfValues<A, B, R>(_ f: (A, B) -> R?) {
        combineNulls()
        let (left, right) = (a.values.assumingMemoryBound(to: A.self), b.values.assumingMemoryBound(to: B.self))
        let result = output.values.assumingMemoryBound(to: R.self)
        for row in 0..<count where output.nulls[row] == NullByte.value {
            if let value = f(left[row], right[row]) { result[row] = value } else { output.nulls[row] = NullByte.failure }
        }
    }
}
