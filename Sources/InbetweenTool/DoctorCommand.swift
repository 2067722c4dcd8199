// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Engines
internal import Foundation
internal import Recipes
internal import Specification
internal import Tensors
internal import Video

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Tell what is installed, and whether it works.")

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let checks = [machine, tensors, engines, opencv, video, models, disk]
    if json {
      let fields = Dictionary(checks.map { ($0.name, $0.text) }) { first, _ in first }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(String(decoding: try encoder.encode(fields), as: UTF8.self))
    } else {
      for check in checks {
        let text = check.text.replacingOccurrences(of: "\n", with: "\n            ")
        print("\(check.isWell ? "ok " : "NOT")  \(check.name.padded)\(text)")
      }
    }
    let ill = checks.filter { !$0.isWell }.map(\.name)
    guard ill.isEmpty else {
      throw Failure(.missingSoftware, "not well: \(ill.joined(separator: ", "))")
    }
  }

  private struct Check {
    let name: String
    let isWell: Bool
    let text: String
  }

  private var machine: Check {
    let info = ProcessInfo.processInfo
    let memory = String(format: "%.1f GiB", Double(info.physicalMemory) / 1_073_741_824)
    return Check(
      name: "machine", isWell: true,
      text: "\(Surroundings.processor), \(info.activeProcessorCount) cores, \(memory)\n"
        + "inbetween \(InbetweenCommand.version), "
        + (Surroundings.isOptimized ? "release build" : "debug build: figures mean nothing"))
  }

  /// Whether LibTorch loads and computes: a product whose answer is known.
  private var tensors: Check {
    do {
      let row = try Tensor([1.0, 2, 3], shape: [1, 3])
      let column = try Tensor([4.0, 5, 6], shape: [3, 1])
      let product = try row.matmul(column).item()
      return Check(
        name: "tensors", isWell: product == 32, text: try TorchRuntime.description())
    } catch { return Check(name: "tensors", isWell: false, text: "\(error)") }
  }

  /// What runs ONNX networks; whoever has none of those needs none.
  private var engines: Check {
    let lines = InferenceEngine.allCases.map { engine in
      do throws(EngineError) {
        let library = try engine.library()
        let opened = "\(engine.title) \(library.version), opened from \(library.path)"
        let providers = library.providers.joined(separator: ", ")
        return providers.isEmpty ? opened : "\(opened), with \(providers)"
      } catch { return "\(error)" }
    }
    return Check(name: "engines", isWell: true, text: lines.joined(separator: "\n"))
  }

  private var opencv: Check { Check(name: "opencv", isWell: true, text: OpenCV.version) }

  private var video: Check {
    Check(name: "video", isWell: VideoLibraries.canEncodeH264, text: VideoLibraries.description)
  }

  /// Where the models that come with the package are; whoever has models of their own needs none.
  private var models: Check {
    let folder = RecipeModels.usualFolder
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let count = names.count { ModelFolder.exists(at: "\(folder)/\($0)") }
    return Check(
      name: "models", isWell: true, text: count > 0 ? "\(count) in \(folder)" : "none in \(folder)")
  }

  private var disk: Check {
    let folder = FileManager.default.currentDirectoryPath
    let free = (try? FileManager.default.attributesOfFileSystem(forPath: folder))?[.systemFreeSize]
    let bytes = (free as? NSNumber)?.doubleValue ?? 0
    return Check(
      name: "disk", isWell: bytes > 1e8, text: String(format: "%.1f GB free here", bytes / 1e9))
  }
}

extension String {
  fileprivate var padded: String { padding(toLength: 9, withPad: " ", startingAt: 0) }
}
