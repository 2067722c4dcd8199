// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
public import Tensors

/// The parameters of a network under the names that its checkpoint gives them, in the order of its
/// layers.
///
/// Names follow torchvision where it has the network (`layer1.0.conv1.weight`), so that weights can
/// be exchanged.
public final class Parameters: Sendable {
  /// Where they are, and where a network of them therefore computes.
  public let device: Device
  private let source: Source
  private let made = Mutex<[Parameter]>([])
  private let bases = Mutex<[Base]>([])

  private enum Source: Sendable {
    case drawn(seed: UInt64)
    case file(SafetensorsFile, prefix: String)
  }

  /// Parameters to be drawn as each layer's initialisation says.
  ///
  /// Each tensor's draws follow from the seed and its own name, so that a layer more or less
  /// changes no other one's.
  public init(seed: UInt64, device: Device = .cpu) {
    (source, self.device) = (.drawn(seed: seed), device)
  }

  /// Parameters to be read from a file, where their names begin with `prefix`.
  public init(reading file: SafetensorsFile, prefix: String = "", device: Device = .cpu) {
    (source, self.device) = (.file(file, prefix: prefix), device)
  }

  /// Takes the parameters of another network for those whose names begin with `prefix` here.
  ///
  /// They stand in the place of draws, and of what a file lacks, for parameters that are made from
  /// then on. So a network that is trained in part need not be stored twice. `open` is asked once,
  /// when a parameter first needs it. What has another shape there is an error, but for names that
  /// `mayDiffer` holds of: these are left where they are.
  public func base(
    under prefix: String = "",
    mayDiffer: @escaping @Sendable (_ name: String) -> Bool = { _ in false },
    on open: @escaping @Sendable () throws -> SafetensorsFile
  ) {
    bases.withLock { $0.append(Base(prefix: prefix, mayDiffer: mayDiffer, open)) }
  }

  /// Whether the parameter called `name` is another network's until training changes it.
  public func isBased(_ name: String) throws -> Bool {
    guard let own = all.first(where: { $0.name == name }) else { return false }
    return try base(of: name, own.tensor.shape) != nil
  }

  private func base(
    of name: String, _ shape: Shape
  ) throws -> (file: SafetensorsFile, name: String)? {
    for base in bases.withLock({ $0 }) where name.hasPrefix(base.prefix) {
      let (file, own) = (try base.file(), String(name.dropFirst(base.prefix.count)))
      guard let entry = file[own] else { continue }
      if entry.shape == shape || !base.mayDiffer(name) { return (file, own) }
    }
    return nil
  }

  /// The scope in which a network's layers are made.
  public var root: ParameterScope { ParameterScope(parameters: self, path: "") }

  /// All parameters made so far.
  public var all: [Parameter] { made.withLock { $0 } }

  /// How many numbers are learned; statistics do not count.
  public var count: Int { all.reduce(0) { $0 + ($1.kind == .statistic ? 0 : $1.tensor.count) } }

  /// The names of what the file holds beside the parameters made so far, where they begin with the
  /// prefix: none, if it is the file of this very network.
  ///
  /// PyTorch's count of batches is not missed.
  public var unread: [String] {
    guard case .file(let file, let prefix) = source else { return [] }
    let names = Set(all.map { prefix + $0.name })
    return file.entries.map(\.name).filter {
      $0.hasPrefix(prefix) && !names.contains($0) && !$0.hasSuffix(".num_batches_tracked")
    }
  }

  func make(
    _ name: String, _ shape: Shape, _ kind: Parameter.Kind, _ initialisation: Initialisation
  ) throws -> Tensor {
    let values = try values(of: name, shape, initialisation)
    if kind == .statistic, name.hasSuffix("running_var") {
      guard try values.count == 0 || values.min().item() >= 0 else {
        throw LayerError("'\(name)' is a variance, and below zero somewhere")
      }
    }
    let tensor = try values.to(device)
    try made.withLock { list in
      guard !list.contains(where: { $0.name == name }) else {
        throw LayerError("two parameters are called '\(name)'")
      }
      list.append(Parameter(name: name, tensor: tensor, kind: kind))
    }
    return tensor
  }

  private func values(
    of name: String, _ shape: Shape, _ initialisation: Initialisation
  ) throws -> Tensor {
    if case .file(let file, let prefix) = source, file[prefix + name] != nil {
      return try read(prefix + name, shape, from: file)
    }
    if let base = try base(of: name, shape) { return try read(base.name, shape, from: base.file) }
    switch source {
    case .drawn(let seed): return try initialisation.draw(shape, seed: seed ^ name.hash64)
    case .file(let file, let prefix): return try read(prefix + name, shape, from: file)
    }
  }

  private func read(_ name: String, _ shape: Shape, from file: SafetensorsFile) throws -> Tensor {
    let tensor = try file.tensor(name)
    guard tensor.shape == shape else {
      throw LayerError("'\(name)' is \(tensor.shape) in the file, the network needs \(shape)")
    }
    if let type = file[name]?.type, !type.isFloatingPoint {
      throw LayerError("'\(name)' is \(type.rawValue) in the file, not floating-point numbers")
    }
    guard try file.nonFiniteCount(in: name) == 0 else {
      throw LayerError("'\(name)' holds numbers in the file that are not finite")
    }
    let values = try tensor.cast(to: .float32)
    guard try values.isFinite() else {
      throw LayerError("'\(name)' holds numbers in the file that 32 bits cannot")
    }
    // The file's own memory is not to be written to.
    return tensor.type == .float32 ? try values + 0 : values
  }
}

/// A network whose parameters stand in for those that are not there.
private final class Base: Sendable {
  let prefix: String
  let mayDiffer: @Sendable (String) -> Bool
  private let open: @Sendable () throws -> SafetensorsFile
  private let opened = Mutex<SafetensorsFile?>(nil)

  init(
    prefix: String, mayDiffer: @escaping @Sendable (String) -> Bool,
    _ open: @escaping @Sendable () throws -> SafetensorsFile
  ) {
    (self.prefix, self.mayDiffer, self.open) = (prefix, mayDiffer, open)
  }

  func file() throws -> SafetensorsFile {
    try opened.withLock { opened in
      if let opened { return opened }
      let file = try open()
      opened = file
      return file
    }
  }
}

/// A tensor of a network that training changes.
public struct Parameter: Sendable {
  /// Its path in the network, as checkpoints name it: `layer1.0.conv1.weight`.
  public let name: String
  /// Its numbers, float32; training writes to them.
  public let tensor: Tensor
  /// What it does in its layer, and with it whether weight decay is meant for it.
  public let kind: Kind

  /// What a parameter does in its layer.
  public enum Kind: String, Hashable, Sendable {
    /// What a layer multiplies by: the one kind that weight decay is meant for.
    case weight
    /// A bias, or the scale or shift of a normalisation.
    case offset
    /// A running mean or variance: moved by the layer itself, never by an optimiser.
    case statistic
  }
}

/// Where in a network a layer is made: the path before the names of its parameters.
public struct ParameterScope: Sendable {
  let parameters: Parameters
  let path: String

  /// The scope of a part called `name`: `scope["layer1"][0]["conv1"]`.
  public subscript(_ name: String) -> ParameterScope {
    ParameterScope(parameters: parameters, path: path.isEmpty ? name : "\(path).\(name)")
  }

  /// The scope of the part at `index` of a row of them.
  public subscript(_ index: Int) -> ParameterScope { self["\(index)"] }

  /// The parameter called `name` here, drawn or read.
  ///
  /// - Throws: `SafetensorsError` where a file lacks it, `LayerError` where its shape is another.
  public func parameter(
    _ name: String, _ shape: Shape, _ kind: Parameter.Kind, _ initialisation: Initialisation
  ) throws -> Tensor {
    try parameters.make(self[name].path, shape, kind, initialisation)
  }
}

/// What is wrong with a network's parameters.
public struct LayerError: Error, Hashable, CustomStringConvertible {
  /// What is wrong, in one clause.
  public let message: String
  /// An error told in one clause.
  public init(_ message: String) { self.message = message }
  /// The message as it is.
  public var description: String { message }
}

extension SafetensorsType {
  fileprivate var isFloatingPoint: Bool {
    [.float8E5M2, .float8E4M3, .float16, .bfloat16, .float32, .float64].contains(self)
  }
}

extension String {
  /// A hash that is the same in every process (FNV-1a, 64 bits).
  var hash64: UInt64 {
    utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }
}
