// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The tool in the folders in which `Scripts/package` lays it: `bin`, `lib/inbetween` and `share`.
struct InstalledTests {
  private let scratch: Scratch
  private let tool: String

  init() throws {
    scratch = try Scratch()
    tool = scratch("anywhere/bin/inbetween")
    let files = FileManager.default
    for folder in ["bin", "lib/inbetween", "share/inbetween"] {
      try files.createDirectory(
        atPath: scratch("anywhere/\(folder)"), withIntermediateDirectories: true)
    }
    try files.copyItem(atPath: program, toPath: tool)
    let shim = URL(fileURLWithPath: program).deletingLastPathComponent()
      .appendingPathComponent("libInbetweenTorch.so").path
    try files.copyItem(
      atPath: shim, toPath: scratch("anywhere/lib/inbetween/libInbetweenTorch.so"))
    try files.createSymbolicLink(
      atPath: scratch("anywhere/share/inbetween/Models"),
      withDestinationPath: packageRoot + "/Models")
  }

  private func run(_ arguments: [String], of tool: String) throws -> Outcome {
    try Running(tool, arguments, in: scratch.path).wait()
  }

  @Test func findsItsLibraryAndModels() throws {
    let doctor = try run(["doctor", "--json"], of: tool)
    #expect(doctor.code == 0, "\(doctor.out)\(doctor.err)")
    let fields = try #require(
      JSONSerialization.jsonObject(with: Data(doctor.out.utf8)) as? [String: String])
    #expect(
      fields["tensors"]?.contains("anywhere/bin/../lib/inbetween/libInbetweenTorch.so") == true)
    #expect(fields["models"]?.hasSuffix("anywhere/share/inbetween/Models") == true)
  }

  @Test func isTheSameThroughASymbolicLink() throws {
    try FileManager.default.createSymbolicLink(
      atPath: scratch("link"), withDestinationPath: tool)
    let doctor = try run(["doctor"], of: scratch("link"))
    #expect(doctor.code == 0, "\(doctor.out)\(doctor.err)")
    #expect(doctor.out.contains("anywhere/bin/../lib/inbetween/libInbetweenTorch.so"))
  }

  @Test func modelsHereComeFirst() throws {
    try FileManager.default.createDirectory(
      atPath: scratch("Models"), withIntermediateDirectories: true)
    let doctor = try run(["doctor", "--json"], of: tool)
    let fields = try JSONSerialization.jsonObject(with: Data(doctor.out.utf8)) as? [String: String]
    #expect(fields?["models"] == "none in Models")
  }
}
