// SPDX-License-Identifier: Apache-2.0

internal import Engines
internal import Foundation
internal import Video

/// What an ONNX file consists of, and what it costs for one picture.
struct OnnxInspection: Encodable {
  let schemaVersion = 1
  let path: String
  let kind = "onnx"
  /// What wrote the file.
  let producer: String
  /// The version of each set of operators.
  let operatorSets: [String: Int]
  let inputs: [Port]
  let outputs: [Port]
  /// How often each operator occurs.
  let operators: [String: Int]
  let parameters: Int
  /// Files beside it in which weights lie.
  let weightFiles: [String]
  /// The sizes of the inputs that the MACs are for; nil where they are not known.
  let size: [[Int]]?
  /// Nil where no engine is here to tell sizes that the file does not state, or it will not run.
  let macs: Int?
  /// Why the engine did not run it.
  let macsUnknown: String?
  private let order: [String]

  struct Port: Encodable {
    let name: String
    let type: String?
    /// The size of each axis, null for any.
    let sizes: [Int?]?
    fileprivate let text: String

    init(_ port: EnginePort) {
      (name, type, sizes) = (port.name, port.type?.description, port.sizes)
      text = port.description
    }

    private enum CodingKeys: String, CodingKey { case name, type, sizes }
  }

  /// Reads the file; axes of any size are `pixels` where they are a picture's, else 1.
  init(_ path: String, size pixels: PixelSize?, threads: Int) throws {
    let model = try OnnxModel.checked(contentsOf: path)
    self.path = path
    (producer, operatorSets) = (model.producer, model.operatorSets)
    (inputs, outputs) = (model.graph.inputs.map(Port.init), model.graph.outputs.map(Port.init))
    operators = Dictionary(uniqueKeysWithValues: model.operators.map { ($0.kind, $0.count) })
    order = model.operators.map(\.kind)
    (parameters, weightFiles) = (model.parameterCount, model.externalFiles)
    let noted = model.notedPictureSize
    let sizes = try Self.sizes(of: model.graph.inputs, pixels, usual: noted, path)
    size = sizes
    do {
      macs = try sizes.flatMap {
        try model.macs(inputs: $0, engine: InferenceEngine.available.first, threads: threads)
      }
      macsUnknown = nil
    } catch let error as EngineError where error.code != .missingFile {
      guard pixels == nil else {
        throw EngineError(
          .badArgument, "\(path): \(error.message); --size gives a size that it may not take")
      }
      // What the file says is worth telling all the same; another size may do.
      (macs, macsUnknown) = (nil, "\(error.message); --size gives another size")
    }
  }

  /// The sizes of all inputs; nil where not even the number of axes is known.
  private static func sizes(
    of inputs: [EnginePort], _ pixels: PixelSize?, usual: PixelSize?, _ path: String
  ) throws -> [[Int]]? {
    var all: [[Int]] = []
    for port in inputs {
      guard let sizes = port.sizes else { return nil }
      // Networks that go down by 32 and up again take nothing else.
      let size = pixels ?? usual ?? PixelSize(width: 480, height: 352)
      let isPicture = sizes.count == 4
      let row = sizes.last == 3 ? 1 : 2
      let found = sizes.enumerated().map { axis, known in
        let usual =
          isPicture && axis == row ? size.height : isPicture && axis == row + 1 ? size.width : 1
        return known ?? (isPicture && axis == 1 && row == 2 ? 3 : usual)
      }
      if isPicture, let pixels, found[row] != pixels.height || found[row + 1] != pixels.width {
        throw Failure(
          .usage, "\(path) takes pictures of \(found[row + 1])×\(found[row]), not of \(pixels)")
      }
      all.append(found)
    }
    return all
  }

  private enum CodingKeys: String, CodingKey {
    case path, kind, producer, inputs, outputs, operators, parameters, size, macs
    case schemaVersion = "schema_version"
    case operatorSets = "operator_sets"
    case weightFiles = "weight_files"
    case macsUnknown = "macs_unknown"
  }
}

extension OnnxInspection: CustomStringConvertible {
  var description: String {
    let sets = operatorSets.sorted { $0.key < $1.key }
      .map { $0.key.isEmpty ? "\($0.value)" : "\($0.key) \($0.value)" }
    let by = producer.isEmpty ? "" : ", by \(producer)"
    var lines = ["\(path): onnx\(by), operators of version \(sets.joined(separator: ", "))"]
    lines += inputs.map { line("input", $0.text) } + outputs.map { line("output", $0.text) }
    lines.append(line("parameters", "\(parameters)"))
    if !weightFiles.isEmpty {
      lines.append(line("weights in", weightFiles.joined(separator: ", ")))
    }
    let shapes = size?.map { $0.isEmpty ? "a number" : $0.shape }.joined(separator: ", ")
    let work = macs.map { String(format: "%.2f M", Double($0) / 1e6) }
    lines.append(
      line(
        "multiply-adds",
        work.map { "\($0) for \(shapes ?? "")" }
          ?? "not known: \(macsUnknown ?? "the file does not state all sizes")"))
    let counts = order.map { "\($0) \(operators[$0] ?? 0)" }
    lines.append(line("operators", counts.joined(separator: ", ")))
    return lines.joined(separator: "\n")
  }

  private func line(_ name: String, _ text: String) -> String { "  " + name.filled(to: 15) + text }
}
