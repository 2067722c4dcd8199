// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// The sizes of a tensor, outermost axis first.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral {
  /// The size of each axis, outermost first; empty for a single number.
  public let dimensions: [Int]

  /// A shape of these sizes, which are not checked: one may be negative.
  public init(_ dimensions: [Int]) { self.dimensions = dimensions }
  /// The shape that a literal such as `[1, 3, 224, 224]` spells.
  public init(arrayLiteral dimensions: Int...) { self.dimensions = dimensions }

  /// How many axes there are.
  public var rank: Int { dimensions.count }

  /// How many elements there are, or nil where a size is negative or the product overflows.
  public var count: Int? {
    var product = 1
    for dimension in dimensions {
      let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else { return nil }
      product = next
    }
    return product
  }

  /// The size of an axis; a negative axis counts from the last, which is -1.
  ///
  /// - Precondition: the axis exists.
  public subscript(axis: Int) -> Int {
    let index = axis < 0 ? axis + rank : axis
    precondition(dimensions.indices.contains(index), "\(self) has no axis \(axis)")
    return dimensions[index]
  }
}

extension Shape: CustomStringConvertible {
  /// The sizes in brackets, such as `[1, 3, 224, 224]`.
  public var description: String { dimensions.description }
}

extension Shape {
  /// How many elements there are, once it is sure that they can be counted and may be allocated.
  ///
  /// No tensor may be larger than the machine's memory: Swift and the kernel both end a process
  /// that asks for what is not there, instead of telling it.
  ///
  /// - Throws: `.badShape` for a negative size, `.outOfMemory` for too many elements.
  package func count(
    of type: ElementType, for operation: StaticString
  ) throws(TensorError) -> Int {
    guard dimensions.allSatisfy({ $0 >= 0 }) else {
      throw TensorError(.badShape, in: operation, "no tensor has the shape \(self)")
    }
    guard let count, count <= Self.memory / type.byteCount else {
      throw TensorError(
        .outOfMemory, in: operation, "\(self) of \(type) is more than this machine's memory")
    }
    return count
  }

  private static let memory = Int(clamping: ProcessInfo.processInfo.physicalMemory)

  /// The sizes as C takes them.
  var sizes: [Int64] { dimensions.map(Int64.init) }
}
