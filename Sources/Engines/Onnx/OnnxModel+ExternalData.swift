// SPDX-License-Identifier: Apache-2.0
internal import Foundation

extension OnnxModel {
  /// The files beside the model in which weights lie, by the names that it gives them.
  package var externalFiles: [String] {
    Set(graph.constants.compactMap { $0.external?.location }).sorted()
  }

  /// Whether every tensor that lies outside of the file is there, whole, in the model's folder.
  ///
  /// A path that leads out of that folder, by its parts or by a link, is refused: a file that
  /// somebody sends must not read others.
  ///
  /// - Throws: `.badModel` naming the first that is not.
  package func checkExternalData() throws(EngineError) {
    let external = graph.constants.filter { $0.external != nil }
    guard !external.isEmpty else { return }
    guard let path else {
      throw EngineError(.badModel, "the model keeps weights in other files, and is in none itself")
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    var sizes: [String: Int] = [:]
    for constant in external {
      guard let place = constant.external else { continue }
      if sizes[place.location] == nil {
        sizes[place.location] = try size(of: place.location, in: folder)
      }
      try check(constant, at: place, fileSize: sizes[place.location] ?? 0)
    }
  }

  private func check(
    _ constant: Constant, at place: External, fileSize: Int
  ) throws(EngineError) {
    let wanted = constant.type.map { constant.count * $0.byteCount }
    let length = place.length ?? wanted ?? 0
    if let wanted, length != wanted {
      throw fault(
        "'\(constant.name)' of \(constant.sizes) takes \(wanted) bytes of \(place.location), not "
          + "\(length)")
    }
    guard place.offset <= fileSize, length <= fileSize - place.offset else {
      throw fault(
        "'\(constant.name)' needs \(length) bytes from byte \(place.offset) of \(place.location), "
          + "which has \(fileSize)")
    }
  }

  /// The size of a file in the model's folder.
  private func size(of location: String, in folder: URL) throws(EngineError) -> Int {
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.isEmpty, !location.hasPrefix("/"), !parts.contains("..") else {
      throw fault("its weights are said to lie in '\(location)', which leads out of its folder")
    }
    let file = folder.appending(path: location).resolvingSymlinksInPath().path
    let homes = [
      folder,
      URL(fileURLWithPath: path ?? "").resolvingSymlinksInPath()
        .deletingLastPathComponent(),
    ].map { $0.resolvingSymlinksInPath().path }
    guard homes.contains(where: { file.hasPrefix($0 == "/" ? $0 : $0 + "/") }) else {
      throw fault("'\(location)' beside it is a link that leads out of its folder")
    }
    let attributes = try? FileManager.default.attributesOfItem(atPath: file)
    guard let attributes else {
      throw fault("its weights lie in '\(location)' beside it, which is not there")
    }
    guard attributes[.type] as? FileAttributeType == .typeRegular,
      let size = (attributes[.size] as? NSNumber)?.intValue
    else { throw fault("'\(location)' beside it is no regular file") }
    return size
  }

  private func fault(_ message: String) -> EngineError {
    EngineError(.badModel, "\(path ?? "the model"): \(message)")
  }
}
