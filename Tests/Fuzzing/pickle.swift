// SPDX-License-Identifier: Apache-2.0

/// What is inside an archive's records, whose CRC-32 nothing stands before here.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  let surroundings = PickleMachine.Surroundings(
    storage: { ("data/\($0)", $0.utf8.count * 36) }, hasClass: { $0.utf8.count % 7 != 0 })
  if let value = try? PickleMachine.value(of: bytes, in: surroundings) {
    _ = DebuggingLines.areSound(value)
  }
  _ = ProgramText.fault(in: bytes)
  return 0
}
