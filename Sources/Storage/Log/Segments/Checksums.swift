import CKernels

/// CRC-32C of these bytes.
@inline(__always)
func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 { CKernels_crc32c(bytes.baseAddress, bytes.count) }

func hexadecimal<Value: FixedWidthInteger>(_ value: Value) -> String { "0x" + String(value, radix: 16, uppercase: true) }
