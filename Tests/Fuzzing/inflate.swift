// SPDX-License-Identifier: Apache-2.0

/// The first two bytes say how many are to come of the rest.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  guard bytes.count > 2 else { return 0 }
  _ = Inflation.inflate(Array(bytes[2...]), count: Int(bytes[0]) << 8 | Int(bytes[1]))
  return 0
}
