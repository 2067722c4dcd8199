// SPDX-License-Identifier: Apache-2.0

/// Whole archives; a CRC-32 that does not fit ends most of them early.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  try? TorchScriptArchive(ArchiveInput(bytes: bytes)).check()
  return 0
}
