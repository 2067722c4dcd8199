// SPDX-License-Identifier: Apache-2.0

public import Tensors
public import Video

/// A network cut into ordered stages, that can be left after any of them and taken up again.
///
/// *Decides* what a frame looks like to the rest of the pipeline, at full cost. *May assume* that
/// stages are run in order, each on what the one before gave. *Must keep* these laws: running all
/// stages equals running any first part and then the rest; a stage's output is its input's size
/// divided by the stated strides; the same frame gives the same features. A backbone has no state.
public protocol Backbone: Sendable {
  /// The stages, first to last; there is at least one, and no two share a name.
  var stages: [Stage] { get }

  /// The frame size the network was built for; nil for one that takes any.
  var inputSize: PixelSize? { get }

  /// What the first stage reads: 1 × C × H × W, made from a frame of `inputSize`.
  func input(for frame: Frame) throws -> Tensor

  /// Whether stages take several pictures of one size at once, N × C × H × W in the place of 1, and
  /// give of each what they give of it alone, but for the rounding of sums. False unless a backbone
  /// says otherwise.
  var takesBatches: Bool { get }

  /// The stages that give the skips of what the first `count` stages hand on, first to last; none
  /// where a backbone does not tell, as it need not.
  ///
  /// A pipeline can propagate the output of such a stage, so that it need not run on every frame.
  func skipStages(through count: Int) -> [String]

  /// The classes' scores that a head of its own makes of what the named stage gives, N × classes ×
  /// h × w; nil where it has none, as it need not.
  func scores(of map: Tensor, after stage: String) throws -> Tensor?

  /// What the stages in `range` make of `input`; what the last of all gives has no skips.
  func run(_ range: Range<Int>, on input: Features) throws -> Features
}

/// A backbone that leaves its work to another one with the same stages, and does something beside
/// it, such as remembering or counting.
///
/// A part that is made of the network's own stages finds them through it.
public protocol BackboneWrapper: Backbone {
  /// The backbone that does the work.
  var wrapped: any Backbone { get }
}

/// What a backbone has computed up to the end of a stage.
public struct Features: Sendable {
  /// What that stage gives: 1 × C × H × W, or N of them.
  public let main: Tensor
  /// What stages after it will read of those before it, first to last; none in a plain chain.
  public let skips: [Tensor]

  /// What a stage gives, with the skips that later stages will read.
  public init(_ main: Tensor, skips: [Tensor] = []) { (self.main, self.skips) = (main, skips) }
}

/// A part of a backbone that ends where features can be tapped.
public struct Stage: Hashable, Sendable {
  /// The name by which recipes and messages refer to it.
  public let name: String
  /// Pixels of the input that one cell of the stage's output spans, each way.
  public let stride: Int

  /// A stage whose cells span `stride` pixels, at least 1.
  public init(_ name: String, stride: Int) {
    precondition(stride >= 1, "stage '\(name)' with a stride of \(stride)")
    (self.name, self.stride) = (name, stride)
  }
}

extension Backbone {
  /// False unless a backbone says otherwise.
  public var takesBatches: Bool { false }

  /// None: a backbone need not tell.
  public func skipStages(through _: Int) -> [String] { [] }

  /// Nil: no stage has a head of its own unless a backbone says otherwise.
  public func scores(of _: Tensor, after _: String) throws -> Tensor? { nil }

  /// The backbone that does the work, behind whatever wraps it.
  package var unwrapped: any Backbone {
    (self as? any BackboneWrapper)?.wrapped.unwrapped ?? self
  }

  /// The position of the stage called `name`.
  ///
  /// - Throws: `BackboneError` naming the stages there are.
  public func index(ofStage name: String) throws(BackboneError) -> Int {
    guard let index = stages.firstIndex(where: { $0.name == name }) else {
      let known = stages.map(\.name).joined(separator: ", ")
      throw BackboneError(.noSuchStage, "no stage '\(name)'; there are \(known)")
    }
    return index
  }

  /// How many channels a stage gives, seen on an empty picture.
  package func channels(after stage: String) throws -> Int {
    let count = try index(ofStage: stage) + 1
    let size = inputSize ?? PixelSize(width: 64, height: 64)
    let pixels = Image(width: size.width, height: size.height, channels: 3, repeating: 0)
    let input = try input(for: Frame(index: 0, time: 0, pixels: pixels))
    return try run(0..<count, on: Features(input)).main.shape[1]
  }
}

/// What is wrong with a network or the description beside it.
public struct BackboneError: Error, Hashable, CustomStringConvertible {
  /// The kind of failure; an open set.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The failure in words, such as `no such stage`.
    public let rawValue: String
    /// A kind of failure by its words; it need not be one of those below.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A stage is named that the backbone, or a set of maps, does not have.
    public static let noSuchStage = Code(rawValue: "no such stage")
    /// A network gives, or is given, something of another shape than is needed.
    public static let badOutput = Code(rawValue: "bad output")
    /// It cannot do what other parts ask of it.
    public static let incompatible = Code(rawValue: "incompatible")
  }

  /// The kind of failure.
  public let code: Code
  /// What is wrong, in one sentence.
  public let message: String

  /// An error of this kind, told in one sentence.
  public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  /// The message as it is.
  public var description: String { message }

  /// The same failure, with the file that it is about in front.
  package func located(in path: String) -> BackboneError {
    message.contains(path) ? self : BackboneError(code, "\(path): \(message)")
  }
}
