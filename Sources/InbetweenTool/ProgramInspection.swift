// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Foundation
internal import Specification
internal import Tensors
internal import Video

/// What a TorchScript file tells of its program, and what it costs for one picture.
struct ProgramInspection: Encodable {
  let schemaVersion = 1
  let path: String
  let kind = "torchscript"
  /// How many numbers its parameters hold.
  let parameters: Int
  /// What can be called: stages, where there are several.
  let methods: [String]
  /// The size of the input that the MACs are for.
  let size: [Int]
  /// Nil where it does not run on a picture.
  let macs: Int?
  /// Why it does not.
  let macsUnknown: String?

  /// Reads the file and runs it once on a picture of `pixels`, or of what the description beside it
  /// says, or else of 352 × 480.
  ///
  /// - Throws: `TensorError` in one sentence for what is no program that LibTorch can load.
  init(_ path: String, size pixels: PixelSize?) throws {
    let module = try TorchScriptModule(contentsOf: path, options: [])
    let description = try? NetworkDescription(besideNetwork: path)
    (self.path, parameters, methods) = (path, module.parameterCount, try module.methods())
    let picture = pixels ?? description?.input.size ?? PixelSize(width: 480, height: 352)
    size = [1, 3, picture.height, picture.width]
    let stages = description?.stages.map(\.name) ?? []
    do throws(TensorError) {
      macs = try Self.macs(of: stages.isEmpty ? ["forward"] : stages, in: module, size)
      macsUnknown = nil
    } catch {
      // Another size may do; of what takes no picture the rest is worth telling all the same.
      (macs, macsUnknown) = (nil, "\(error.message); --size gives another size")
    }
  }

  /// Multiply-adds of methods that are called in order, each on what the one before gave.
  private static func macs(
    of methods: [String], in module: TorchScriptModule, _ size: [Int]
  ) throws(TensorError) -> Int {
    var (macs, given) = (0, [try Tensor.uniform(Shape(size), seed: 1)])
    for method in methods {
      macs += try module.macs(of: method, given)
      // The last one may give what is no tensor.
      if method != methods.last { given = Array(try module.call(method, given).prefix(1)) }
    }
    return macs
  }

  private enum CodingKeys: String, CodingKey {
    case path, kind, parameters, methods, size, macs
    case schemaVersion = "schema_version"
    case macsUnknown = "macs_unknown"
  }
}

extension ProgramInspection: CustomStringConvertible {
  var description: String {
    let sizes = size.map(String.init).joined(separator: "×")
    let work = macs.map { String(format: "%.2f M for %@", Double($0) / 1e6, sizes) }
    return """
      \(path): TorchScript, \(parameters) parameters
        methods: \(methods.joined(separator: ", "))
        multiply-adds: \(work ?? "not known: \(macsUnknown ?? "")")
      """
  }
}
