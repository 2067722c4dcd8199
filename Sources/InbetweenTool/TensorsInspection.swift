// SPDX-License-Identifier: Apache-2.0

internal import Tensors

/// The tensors of a safetensors file.
struct TensorsInspection: Encodable {
  let schemaVersion = 1
  let path: String
  let kind = "tensors"
  let tensors: [Entry]
  /// Of all tensors.
  let elements: Int
  /// What stands beside the tensors.
  let metadata: [String: String]

  struct Entry: Encodable {
    let name: String
    let type: String
    let shape: [Int]
  }

  init(_ path: String, _ file: SafetensorsFile) {
    (self.path, metadata) = (path, file.metadata)
    tensors = file.entries.sorted { $0.name < $1.name }.map {
      Entry(name: $0.name, type: $0.type.rawValue, shape: $0.shape.dimensions)
    }
    elements = file.entries.reduce(0) { $0 + ($1.shape.count ?? 0) }
  }

  private enum CodingKeys: String, CodingKey {
    case path, kind, tensors, elements, metadata
    case schemaVersion = "schema_version"
  }
}

extension TensorsInspection: CustomStringConvertible {
  var description: String {
    let rows = tensors.map {
      "  " + $0.type.filled(to: 6) + $0.shape.shape.pushed(to: 16) + "  " + $0.name.printable
    }
    let notes = metadata.sorted { $0.key < $1.key }.map {
      "  \($0.key.printable): \($0.value.printable)"
    }
    return (["\(path): \(tensors.count) tensors, \(elements) elements"] + rows + notes)
      .joined(separator: "\n")
  }
}

extension String {
  /// On one line, and without what would steer a terminal.
  fileprivate var printable: String {
    String(String.UnicodeScalarView(unicodeScalars.map { $0.properties.isGraphic ? $0 : "?" }))
  }
}

extension Unicode.Scalar.Properties {
  fileprivate var isGraphic: Bool {
    switch generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
    default: true
    }
  }
}
