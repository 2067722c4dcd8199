// SPDX-License-Identifier: Apache-2.0
import Foundation
import Layers
import Tensors
import Testing
import Training

private let student = Field([2, 4, 2, 3], in: -2...2, seed: 51)
private let studentBefore = Field([2, 4, 2, 3], in: -2...2, seed: 52)
// A teacher has channels of its own.
private let teacher = Field([2, 7, 2, 3], in: -2...2, seed: 53)
private let teacherBefore = Field([2, 7, 2, 3], in: -2...2, seed: 54)

/// Cosines of each cell of an image of `one` with each of the same image of `other`.
private func cosines(_ one: Field, _ other: Field, image: Int) -> [[Double]] {
  let size = one.height * one.width
  func direction(_ cell: [Double]) -> [Double] {
    let length = total(cell.map { $0 * $0 }).squareRoot()
    return cell.map { $0 / length }
  }
  return (0..<size).map { i in
    (0..<size).map { j in
      let (a, b) = (direction(one.cell(image * size + i)), direction(other.cell(image * size + j)))
      return total(zip(a, b).map { $0 * $1 })
    }
  }
}

private func slowPairwise(_ one: Field, _ other: Field) -> Double {
  let sums = (0..<2).map { image in
    squaredDistance(
      cosines(one, other, image: image).flatMap(\.self),
      cosines(teacher, teacherBefore, image: image).flatMap(\.self))
  }
  return total(sums) / 72
}

/// A convolutional long short-term memory, cell by cell; the weights are those of the seed.
private struct SlowMemory: @unchecked Sendable {
  private let weight: [Double]

  init() {
    let gates = try? Conv2d(5, 16, kernel: 3, in: Parameters(seed: 1).root["gates"])
    weight = ((try? gates?.weight.floats()) ?? []).map(Double.init)
  }

  /// What is given and kept after maps of `size` × `size`, channel by channel.
  func callAsFunction(_ maps: [[[Double]]]) -> [Double] {
    let size = maps[0].count
    var (output, memory) = ([Double](repeating: 0, count: 4 * size * size), [Double]())
    memory = output
    for map in maps {
      let (before, kept) = (output, memory)
      func input(_ channel: Int, _ y: Int, _ x: Int) -> Double {
        guard y >= 0, x >= 0, y < size, x < size else { return 0 }
        return channel == 0 ? map[y][x] : before[((channel - 1) * size + y) * size + x]
      }
      func gate(_ index: Int, _ y: Int, _ x: Int) -> Double {
        var sum = 0.0
        for channel in 0..<5 {
          for place in 0..<9 {
            sum +=
              weight[(index * 5 + channel) * 9 + place]
              * input(channel, y + place / 3 - 1, x + place % 3 - 1)
          }
        }
        return sum
      }
      func sigmoid(_ value: Double) -> Double { 1 / (1 + exp(-value)) }
      for channel in 0..<4 {
        for place in 0..<(size * size) {
          let (y, x) = place.quotientAndRemainder(dividingBy: size)
          let at = channel * size * size + place
          memory[at] =
            sigmoid(gate(4 + channel, y, x) + 1) * kept[at]
            + sigmoid(gate(channel, y, x)) * tanh(gate(8 + channel, y, x))
          output[at] = sigmoid(gate(12 + channel, y, x)) * tanh(memory[at])
        }
      }
    }
    return output + memory
  }
}

private let slowMemory = SlowMemory()

private func slowMultiFrame(_ first: Field, _ second: Field) -> Double {
  let sums = (0..<2).map { image in
    squaredDistance(
      slowMemory([first, second].map { cosines($0, $0, image: image) }),
      slowMemory([teacherBefore, teacher].map { cosines($0, $0, image: image) }))
  }
  return total(sums) / (2 * 8 * 36)
}

private let cases = [
  LossCase("pair-wise, of the frame", at: student) {
    try pairwiseDependencyDistance(
      ($0, studentBefore.tensor()), from: (teacher.tensor(), teacherBefore.tensor()))
  } reference: {
    slowPairwise($0, studentBefore)
  },
  LossCase("pair-wise, of the frame before", at: studentBefore) {
    try pairwiseDependencyDistance(
      (student.tensor(), $0), from: (teacher.tensor(), teacherBefore.tensor()))
  } reference: {
    slowPairwise(student, $0)
  },
  LossCase("multi-frame, of the last", at: student) {
    try MultiFrameDependency().distance(
      [studentBefore.tensor(), $0], from: [teacherBefore.tensor(), teacher.tensor()])
  } reference: {
    slowMultiFrame(studentBefore, $0)
  },
  LossCase("multi-frame, of the first", at: studentBefore) {
    try MultiFrameDependency().distance(
      [$0, student.tensor()], from: [teacherBefore.tensor(), teacher.tensor()])
  } reference: {
    slowMultiFrame($0, student)
  },
]

@Test(arguments: cases, [false, true])
private func dependenciesAreWhatPlainLoopsSay(of example: LossCase, channelsLast: Bool) throws {
  try example.check(channelsLast: channelsLast, within: 5e-4)
}

@Test func aTeacherIsNotTaughtLikeness() throws {
  let one = try teacher.tensor().requiringGradient()
  let learner = try student.tensor().requiringGradient()
  let loss =
    try pairwiseDependencyDistance((learner, learner), from: (one, one))
    + MultiFrameDependency().distance([learner], from: [one])
  let gradient = try gradients(of: loss, withRespectTo: [one])[0].floats()
  #expect(gradient.allSatisfy { $0 == 0 })
}

@Test func cellsOfNothingAreLikeNothing() throws {
  let leaf = try Tensor.zeros([1, 3, 2, 2]).requiringGradient()
  let likeness = try cosineSimilarities(leaf, .full([1, 3, 2, 2], of: 1))
  let values = try likeness.floats()
  #expect(values.allSatisfy { $0 == 0 })
  let gradient = try gradients(of: likeness.sum(), withRespectTo: [leaf])[0].floats()
  #expect(gradient.allSatisfy { $0.isFinite })
}
