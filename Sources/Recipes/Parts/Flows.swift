// SPDX-License-Identifier: Apache-2.0

public import Flow
internal import Layers
public import Specification

extension Registries {
  mutating func registerFlows() {
    let presets = DISFlow.Preset.allCases.map(\.rawValue)
    let preset = OptionSpec.optional("preset", .choice(presets), standard: "medium")
    flows.register(
      "dis", "dense inverse search: \(presets.joined(separator: ", "))", options: [preset]
    ) { options, context in
      context.note("the constants of dense inverse search", chosenOn: "camvid/val")
      return DISFlow(
        preset: .init(rawValue: options.text("preset")) ?? .medium, threads: context.threads)
    }
    flows.register(
      "opencv-dis", "the same by OpenCV: several times as slow", options: [preset]
    ) { options, _ in
      OpenCVDISFlow(preset: .init(rawValue: options.text("preset")) ?? .medium)
    }
    flows.register("farneback", "polynomial expansion") { _, _ in Farneback() }
    flows.register(
      "codec",
      "the video's own motion vectors; 'filled' closes holes, 'rounded' composes as AR-Seg does",
      options: [.flag("filled"), .flag("rounded")]
    ) { options, context in
      CodecMotion(
        fillsHoles: options.flag("filled"), sampling: options.flag("rounded") ? .rounded : .exact,
        threads: context.threads)
    }
    flows.register(
      "flownet", "a trained network: a folder with its weights",
      options: [.required("folder", .path)]
    ) { options, context in
      let folder = try ModelFolder(at: options.text("folder"))
      folder.files.forEach(context.note(file:))
      return try NetworkFlow(folder)
    }
    flows.register(
      "chained", "another estimator's flow from each frame to the one before, composed",
      slot: PartSlot("base", role: "flow")
    ) { options, context in ChainedFlow(try context.flow(options.part("base"))) }
    flows.register("zero", "no motion at all", formerNames: ["still"]) { _, _ in ZeroFlow() }
  }
}

extension BuildContext {
  /// The flow estimator that another one is made around.
  public func flow(_ spec: PartSpec) throws -> any FlowEstimator {
    try registries.flows.build(spec, in: self)
  }
}
