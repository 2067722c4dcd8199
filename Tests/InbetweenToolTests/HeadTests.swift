// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Heads trained and inspected through the tool, behind a network that comes with the package.
struct HeadTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try FileManager.default.createDirectory(
      atPath: scratch("head"), withIntermediateDirectories: true)
  }

  private func write(_ head: String) throws {
    try scratch.write(
      """
      name: small
      backbone: \(modelFolder)/street-light
      head: {\(head), inputs: [context, decoder], channels: 4, blocks: 1}
      training:
        batch: 1
        crop: [64, 96]
        pictures: 1
        stages: [{name: all, steps: 2, optimizer: adam, rate: 0.001}]
      """, to: "head/spec.yaml")
  }

  @Test(arguments: [
    ("kind: depth", "depth", [1, 64, 96]),
    ("kind: fcos, classes: street3", "detection", [3, 16, 24]),
  ])
  func aHeadIsTrainedAndInspected(head: String, kind: String, output: [Int]) throws {
    try write(head)
    let line = "train head/spec.yaml --data streets:5 --threads 1 --out o"
    let outcome = try scratch.inbetween(line)
    #expect(outcome.code == 0, "\(outcome.err)")
    for isTrained in [false, true] {
      let inspected = try scratch.inbetween("inspect head --size 64x96 --json")
      #expect(inspected.code == 0, "\(inspected.err)")
      let object = try JSONSerialization.jsonObject(with: Data(inspected.out.utf8))
      let found = try #require(object as? [String: Any])
      #expect(found["kind"] as? String == kind && found["trained"] as? Bool == isTrained)
      let stages = try #require(found["stages"] as? [[String: Any]])
      #expect(stages.map { $0["output"] as? [Int] } == [output])
      if !isTrained {
        try FileManager.default.copyItem(
          atPath: scratch("o/weights.safetensors"), toPath: scratch("head/weights.safetensors"))
      }
    }
  }

  @Test func whatNoHeadCanBeTrainedOnIsRefused() throws {
    try write("kind: fcos, classes: [bird]")
    let foreign = try scratch.inbetween("train head/spec.yaml --data streets:5 --out o")
    #expect(foreign.code != 0 && foreign.err.contains("car, pedestrian, bicyclist"))
    try write("kind: depth")
    let unlabelled = try scratch.inbetween("train head/spec.yaml --data street:5 --out o")
    #expect(unlabelled.code == 64 && unlabelled.err.contains("streets:SEED"), "\(unlabelled.err)")
    let unmeasured = try scratch.inbetween(
      "train head/spec.yaml --data streets:5 --validation streets:6 --out o")
    #expect(unmeasured.code == 64 && unmeasured.err.contains("street:SEED"))
  }
}
