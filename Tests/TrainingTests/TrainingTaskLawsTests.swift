// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Layers
import Synchronization
import Tensors
import Testing
import Training

/// A number that is to become another, and one way in which this goes wrong.
private final class Faulty: TrainingTask {
  enum Fault: String, CaseIterable, Sendable {
    case none = ""
    case remembers = "a batch follows from its step alone"
    case draws = "same batch, parameters and pass, same loss"
    case diverges = "losses are finite"
    case learnsWhenMeasured = "measuring changes nothing"
    case learnsNothing = "some parameter has a gradient, and every gradient is finite"
  }

  let fault: Fault
  let parameters = Parameters(seed: 1)
  private let number: Tensor
  private let calls = Mutex(0)

  init(_ fault: Fault) throws {
    self.fault = fault
    number = try parameters.root.parameter("number", [1], .weight, .constant(1))
  }

  private func count() -> Float {
    calls.withLock {
      $0 += 1
      return Float($0)
    }
  }

  func batch(at step: Int) -> Float { fault == .remembers ? count() : Float(step) + 2 }

  func loss(of batch: Float, at _: Int, in _: ForwardContext) throws -> Loss {
    let difference = try number - batch, squared = try (difference * difference).sum()
    return switch fault {
    case .draws: Loss(try squared + count())
    case .diverges: Loss(try squared * .infinity)
    case .learnsNothing: Loss(try squared.detached())
    default: Loss(squared)
    }
  }

  func evaluate() throws -> [String: Double] {
    if fault == .learnsWhenMeasured { try number.assign(Tensor([7], shape: [1])) }
    return [:]
  }
}

struct TrainingTaskLawsTests {
  @Test(arguments: Faulty.Fault.allCases)
  fileprivate func eachFaultIsFound(fault: Faulty.Fault) throws {
    let broken = try brokenLaws(of: Faulty(fault))
    if case .none = fault {
      #expect(broken == [])
    } else {
      #expect(broken.contains(fault.rawValue), "\(broken)")
    }
  }
}
