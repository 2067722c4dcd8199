// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What builders are given beside their options: threads, what was made before, a note of what is
/// read.
public struct BuildContext: Sendable {
  /// Threads that a part may take.
  public var threads: Int
  private var services: [ObjectIdentifier: any Sendable] = [:]
  private let read = FilesRead()

  /// A context without services; parts may take `threads` threads.
  public init(threads: Int = 1) { self.threads = threads }

  /// Something that parts are made around, the backbone say, by its type.
  public subscript<Service: Sendable>(_ type: Service.Type) -> Service? {
    get { services[ObjectIdentifier(type)] as? Service }
    set { services[ObjectIdentifier(type)] = newValue }
  }

  /// Notes that a part has read a file.
  public func note(file: String) { read.files.withLock { $0.append(file) } }

  /// Notes what will be said once, to the user and in results.
  public func note(warning: String) {
    read.warnings.withLock { if !$0.contains(warning) { $0.append(warning) } }
  }

  /// Notes that a setting of a part was chosen on a clip.
  ///
  /// The clip goes by its name, `camvid/val`; figures of the part on it are no test of it.
  public func note(_ setting: String, chosenOn clip: String) {
    let choice = ChosenSetting(setting: setting, clip: clip)
    read.chosen.withLock { if !$0.contains(choice) { $0.append(choice) } }
  }

  /// What was chosen on which clip.
  public var chosen: [ChosenSetting] { read.chosen.withLock { $0 } }

  /// The files that parts have read, in order.
  public var files: [String] { read.files.withLock { $0 } }

  /// What is to be said once.
  public var warnings: [String] { read.warnings.withLock { $0 } }
}

/// Shared by the copies of a context.
private final class FilesRead: Sendable {
  let files = Mutex<[String]>([])
  let warnings = Mutex<[String]>([])
  let chosen = Mutex<[ChosenSetting]>([])
}

/// A setting, and the clip that it was chosen on.
public struct ChosenSetting: Sendable, Hashable {
  /// What was chosen, in a few words: `the constants of dense inverse search`.
  public let setting: String
  /// The clip's name.
  public let clip: String

  /// A setting that was chosen on a clip.
  public init(setting: String, clip: String) { (self.setting, self.clip) = (setting, clip) }
}

/// The kinds of one role, each with what makes a part of it: open to kinds of anyone's.
///
/// ```swift
/// let hour = OptionSpec.required("hour", .integer(0...23))
/// registry.register("mine", "key frames at sunset", options: [hour]) {
///   options, _ in SunsetKeyframes(hour: options.integer("hour"))
/// }
/// ```
public struct PartRegistry<Part>: Sendable {
  /// Makes a part of its options; what is wrong with files that they name is thrown.
  public typealias Builder = @Sendable (ResolvedOptions, BuildContext) throws -> Part

  /// What its parts are called: `scheduler`.
  public let role: String
  /// The kinds, in the order in which they were registered.
  public private(set) var descriptors: [PartDescriptor] = []
  private var builders: [String: Builder] = [:]

  /// An empty registry.
  public init(_ role: String) { self.role = role }

  /// Adds a kind of part.
  ///
  /// - Precondition: no kind of that name is registered yet.
  public mutating func register(
    _ kind: String, _ summary: String, options: [OptionSpec] = [], slot: PartSlot? = nil,
    formerNames: [String] = [], usage: String? = nil, requires: Set<PartRequirement> = [],
    validate: @escaping @Sendable (ResolvedOptions) throws(InvalidOption) -> Void = { _ in },
    build: @escaping Builder
  ) {
    register(
      PartDescriptor(
        kind, summary, options: options, slot: slot, formerNames: formerNames, usage: usage,
        requires: requires, validate: validate), build: build)
  }

  /// Adds a kind of part that was described elsewhere.
  ///
  /// - Precondition: no kind of that name is registered yet.
  public mutating func register(_ descriptor: PartDescriptor, build: @escaping Builder) {
    precondition(
      builders[descriptor.kind] == nil, "two kinds of \(role) are called \(descriptor.kind)")
    descriptors.append(descriptor)
    builders[descriptor.kind] = build
  }

  /// Whether a kind of this name is registered.
  public func has(_ kind: String) -> Bool { builders[kind] != nil }

  /// Makes the part that a canonical spec describes.
  ///
  /// - Throws: `SpecificationError` for a kind that is not registered, and what its builder throws.
  public func build(_ spec: PartSpec, in context: BuildContext) throws -> Part {
    guard let builder = builders[spec.kind] else {
      let known = descriptors.map(\.kind)
      throw SpecificationError(
        .unknownPart, "no \(role) '\(spec.kind)'; \(suggestion(for: spec.kind, among: known))")
    }
    do { return try builder(ResolvedOptions(spec), context) } catch let error as InvalidOption {
      throw SpecificationError(.badValue, "the \(role) \(spec.kind) \(error.message)")
    }
  }
}

extension Grammar {
  /// Adds all kinds of a registry to its role.
  public mutating func add<Part>(_ registry: PartRegistry<Part>) {
    for descriptor in registry.descriptors { add(descriptor, to: registry.role) }
  }
}
