// SPDX-License-Identifier: Apache-2.0
internal import CEngines
internal import Foundation

/// A library that runs ONNX networks, opened when a network first needs it.
///
/// It is looked for in the file that an environment variable names, in the folder that
/// `Scripts/install-engines` fills, and among the libraries that the system has installed. It is
/// never linked: what needs no network works without.
public enum InferenceEngine: String, Sendable, Hashable, CaseIterable {
  /// ONNX Runtime, 1.13 or later.
  case onnxruntime
  /// OpenVINO, 2025.4 or later.
  case openvino
}

extension InferenceEngine {
  /// What its makers call it.
  public var title: String {
    switch self {
    case .onnxruntime: "ONNX Runtime"
    case .openvino: "OpenVINO"
    }
  }

  /// The environment variable that names its library's file.
  public var variable: String {
    switch self {
    case .onnxruntime: "INBETWEEN_ONNXRUNTIME"
    case .openvino: "INBETWEEN_OPENVINO"
    }
  }

  /// Which file was opened, and its version.
  public struct Library: Sendable, Hashable {
    /// The library's file, as it was named to the system.
    public let path: String
    /// The version that the library states: `1.32.0`.
    public let version: String
    /// What it was built to compute with, by the names of ONNX Runtime's execution providers; none
    /// of OpenVINO.
    ///
    /// Whether one works here only a session tells.
    public let providers: [String]
  }

  /// Opens the library, once, and tells which it is.
  ///
  /// - Throws: `.libraryMissing` with how to get one.
  @discardableResult
  public func library() throws(EngineError) -> Library {
    if let named = ProcessInfo.processInfo.environment[variable], !named.isEmpty {
      do throws(EngineError) { return try open(named) } catch {
        throw EngineError(
          .libraryMissing, "\(variable) names \(named), which cannot be used: \(error.message)")
      }
    }
    let own = "\(Self.folder)/\(rawValue)/\(fileName)"
    var found: EngineError?
    for path in [own, fileName] + otherNames {
      // Of a path nobody has put there, the system's complaint says nothing.
      if path == own, !FileManager.default.fileExists(atPath: own) { continue }
      do throws(EngineError) { return try open(path) } catch {
        if path == own { found = error }
      }
    }
    if let found {
      throw EngineError(.libraryMissing, "\(own) cannot be used: \(found.message)")
    }
    throw EngineError(
      .libraryMissing,
      "\(title) is not here: 'Scripts/install-engines \(rawValue)' fetches it, or \(variable) "
        + "names its \(fileName)")
  }

  /// The library in use; nil while none is.
  public var opened: Library? {
    let version = String(cString: ce_library_version(kind))
    guard !version.isEmpty else { return nil }
    let providers = String(cString: ce_library_providers(kind)).split(separator: " ")
    return Library(
      path: String(cString: ce_library_path(kind)), version: version,
      providers: providers.map(String.init))
  }

  /// Whether its library can be opened.
  public var isAvailable: Bool { (try? library()) != nil }

  /// Does nothing where its library is there and was built for the device.
  ///
  /// - Throws: `.libraryMissing` with how to get one.
  public func requireDevice(_ device: EngineDevice) throws(EngineError) {
    let library = try library()
    guard let (name, title) = device.provider, !library.providers.contains(name) else { return }
    guard self == .onnxruntime else {
      throw EngineError(
        .libraryMissing,
        "\(self.title) does not compute on \(device): ONNX Runtime does, with --engine onnxruntime")
    }
    throw EngineError(
      .libraryMissing,
      "ONNX Runtime \(library.version) in \(library.path) was built without \(title), and has "
        + library.providers.joined(separator: ", ")
        + ": 'Scripts/install-engines onnxruntime-gpu' fetches PyPI's wheel that has it, or "
        + "\(variable) names its \(fileName)")
  }

  /// Those whose libraries can be opened.
  public static var available: [InferenceEngine] { allCases.filter(\.isAvailable) }

  /// Where `Scripts/install-engines` keeps libraries: `inbetween/engines` in the user's folder of
  /// data, which is `XDG_DATA_HOME` or `~/.local/share`.
  public static var folder: String {
    let environment = ProcessInfo.processInfo.environment
    let data = environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    return (data ?? "\(environment["HOME"] ?? "")/.local/share") + "/inbetween/engines"
  }

  private var fileName: String {
    switch self {
    case .onnxruntime: "libonnxruntime.so"
    case .openvino: "libopenvino_c.so"
    }
  }

  /// Names by which distributions install it without its development files.
  private var otherNames: [String] {
    switch self {
    case .onnxruntime: ["libonnxruntime.so.1"]
    case .openvino: []
    }
  }

  private func open(_ path: String) throws(EngineError) -> Library {
    try check { ce_library_open(kind, path, &$0) }
    guard let opened else { throw EngineError(.failed, "the library states no version") }
    return opened
  }

  var kind: ce_kind {
    switch self {
    case .onnxruntime: ce_onnxruntime
    case .openvino: ce_openvino
    }
  }
}

/// Runs one C call; the one place where a code becomes an error.
func check(_ call: (inout ce_error) -> ce_code) throws(EngineError) {
  var failure = ce_error()
  let code = call(&failure)
  guard code == ce_ok else {
    let text = withUnsafeBytes(of: failure.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    throw EngineError(.init(rawValue: UInt32(code.rawValue)), text)
  }
}
