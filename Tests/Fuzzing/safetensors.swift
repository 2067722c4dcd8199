// SPDX-License-Identifier: Apache-2.0

/// One input of the fuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  guard let file = try? SafetensorsFile(bytes: bytes) else { return 0 }
  for entry in file.entries {
    try? file.withUnsafeBytes(of: entry.name) { entry, bytes in
      precondition(bytes.count * 8 == (entry.shape.count ?? 0) * entry.type.bitCount)
    }
  }
  return 0
}
