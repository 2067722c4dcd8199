// SPDX-License-Identifier: Apache-2.0
import Specification

/// Side-cars and specifications: YAML as nodes, and as a description that is read key by key.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  guard let text = String(validating: bytes, as: UTF8.self) else { return 0 }
  _ = try? ConfigNode(yaml: text, file: "fuzz.yaml")
  guard let root = try? DescriptionReader(yaml: text) else { return 0 }
  for key in ["input", "output", "network", "training"] where root.has(key) {
    guard let group = try? root.group(key) else { continue }
    _ = try? group.numbers("mean", count: 3)
    _ = try? group.integers("steps", in: 1...16)
    _ = try? group.number("scale")
    _ = group.strings("classes")
  }
  _ = try? root.string("name")
  _ = try? root.groups("stages")
  return 0
}
