// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Engines
internal import Evaluation
internal import Specification
internal import Synchronization
internal import Tensors
internal import Video

/// An ONNX network, opened: the engine that runs it is found when it is loaded.
struct OnnxSource: NetworkSource {
  private let file: OnnxFile
  private let choice: EngineChoice
  private let threads: Int
  private let precision: EnginePrecision
  private let device: EngineDevice
  let task: (any PredictionTask)?
  private let said = Remarks()

  /// What was said while it was loaded, by whichever copy.
  private final class Remarks: Sendable { let all = Mutex<[String]>([]) }

  init(_ options: ResolvedOptions, _ context: BuildContext) throws {
    let registries = context[Registries.self] ?? .standard
    file = try OnnxFile(
      at: options.text("path"), description: options.textIfGiven("description"),
      by: registries.grammar)
    choice = options.textIfGiven("engine").flatMap { EngineChoice($0) } ?? .auto
    threads = context.threads
    precision = EnginePrecision(rawValue: options.text("precision")) ?? .single
    device = options.textIfGiven("device").flatMap { EngineDevice($0) } ?? .cpu
    task = try file.description.ownTask(of: file.path, in: registries, context)
  }

  var path: String { file.path }
  var classes: ClassList { file.description.classes }
  var files: [String] { file.files }
  var remarks: [String] { said.all.withLock { $0 } }

  func load() throws -> (backbone: any Backbone, head: any SegmentationHead) {
    let chosen = try file.engine(
      choice, threads: threads, precision: precision, device: device)
    if let remark = chosen.remark {
      said.all.withLock { if !$0.contains(remark) { $0.append(remark) } }
    }
    let network = try OnnxNetwork(
      file, engine: chosen.engine, threads: threads, precision: precision, device: device)
    return (network, file.description.labels(or: task))
  }
}
