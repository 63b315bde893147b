import Values

/// The last values of rows given up, in an image: varint of how many there ever were; then those that are kept, in the order of the
/// ring.
extension PresentValues {
    func writeImage(_ form: Form, _ texts: TextTable, to output: inout ImageOutput) {
        output.put(count: count.pointee)
        for number in 0..<min(n, count.pointee) {
            output.put(stored: values + number &* width, form, texts)
        }
    }

    /// Into a record that has none; how many there ever were.
    func load(_ form: Form, _ reader: inout ImageReader, _ memory: inout ShardMemory) throws(ImageFault) -> Int {
        let known = try reader.takeCount(max: ImageFormat.positionMax, "the number of values given up")
        for number in 0..<min(n, known) {
            try reader.takeStored(values + number &* width, form, &memory)
        }
        count.pointee = known
        return known
    }
}
