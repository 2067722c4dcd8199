// SPDX-License-Identifier: Apache-2.0
internal import Foundation

extension OnnxModel {
  /// Reads the file at `path` and looks at all that can be told wrong without an engine.
  ///
  /// - Throws: `.missingFile`, or `.badModel` with what is wrong with it.
  package static func checked(contentsOf path: String) throws(EngineError) -> OnnxModel {
    if let other = Self.otherKind(of: path) {
      throw EngineError(.badModel, "\(path) is no ONNX model: it is \(other)")
    }
    let model = try OnnxModel(contentsOf: path)
    try model.checkExternalData()
    return model
  }

  /// What a file is, by its first bytes, where people take it for a model; nil for anything else.
  private static func otherKind(of path: String) -> String? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    let start = (try? file.read(upToCount: 64)) ?? Data()
    if start.starts(with: Data("PK\u{3}\u{4}".utf8)) { return "a zip archive, as PyTorch writes" }
    if start.starts(with: Data("version https://git-lfs".utf8)) {
      return "a pointer of Git LFS, in the place of the file: run 'git lfs pull'"
    }
    if start.starts(with: Data("<!DOCTYPE".utf8)) || start.starts(with: Data("<html".utf8)) {
      return "a web page"
    }
    if start.starts(with: Data([0x89, 0x50, 0x4E, 0x47])) { return "a PNG picture" }
    if start.starts(with: Data([0xFF, 0xD8, 0xFF])) { return "a JPEG picture" }
    if start.starts(with: Data([0x89, 0x48, 0x44, 0x46])) {
      return "an HDF5 file, as Keras writes"
    }
    if start.dropFirst(4).starts(with: Data("TFL3".utf8)) { return "a TensorFlow Lite model" }
    if start.dropFirst(4).starts(with: Data("ORTM".utf8)) {
      return "a model in ONNX Runtime's own format (.ort)"
    }
    if start.starts(with: Data([0x1F, 0x8B])) { return "a gzip archive: unpack it first" }
    // A model begins with the byte of a field; never with readable text alone.
    let isText =
      start.count >= 16
      && start.allSatisfy { (0x20..<0x7F).contains($0) || [9, 10, 13].contains($0) }
    return isText ? "a text" : nil
  }
}
