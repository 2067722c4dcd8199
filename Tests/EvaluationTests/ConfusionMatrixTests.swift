// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Testing
import Video

struct ConfusionMatrixTests {
  @Test func aPerfectPredictionScoresOne() {
    #expect(matrix([0, 1, 2, 2], [0, 1, 2, 2]).meanIoU == 1)
  }

  /// By hand: class 0 has 1 of 3, class 1 has 1 of 2, class 2 has 1 of 2.
  @Test func scoresAreIntersectionOverUnion() {
    let counted = matrix([0, 1, 0, 2, 0], [0, 1, 1, 2, 2])
    let (third, half): (Double?, Double?) = (1.0 / 3, 0.5)
    #expect(counted.iou == [third, half, half])
    #expect(counted.accuracy == 0.6)
    let meanAccuracy = (1 + 0.5 + 0.5) / 3
    #expect(counted.meanAccuracy == meanAccuracy)
  }

  @Test func voidTruthIsIgnoredWhateverIsPredicted() {
    #expect(matrix([0, 1, 2, 0], [0, 1, 11, 255]) == matrix([0, 1], [0, 1]))
  }

  @Test func aVoidPredictionIsAMiss() {
    let counted = matrix([0, 11, 1, 255], [0, 0, 1, 1])
    #expect(counted.iou[0] == 0.5)
    #expect(counted.iou[1] == 0.5)
  }

  @Test func classesThatNeverOccurDoNotCount() {
    let counted = matrix([0, 0], [0, 0])
    #expect(counted.iou == [1, nil, nil])
    #expect(counted.meanIoU == 1)
  }

  @Test func nothingCountedScoresNothing() {
    let empty = ConfusionMatrix(classes: 3)
    #expect(empty.meanIoU == nil)
    #expect(empty.accuracy == nil)
  }

  @Test func framesAddUp() {
    var sum = matrix([0, 1, 0], [0, 1, 1])
    sum += matrix([2, 0], [2, 2])
    #expect(sum == matrix([0, 1, 0, 2, 0], [0, 1, 1, 2, 2]))
  }

  private func matrix(_ predicted: [UInt8], _ truth: [UInt8]) -> ConfusionMatrix {
    var matrix = ConfusionMatrix(classes: 3)
    matrix.add(predicted: row(predicted), truth: row(truth))
    return matrix
  }
}

func row(_ ids: [UInt8]) -> Image { Image(width: ids.count, height: 1, channels: 1, bytes: ids) }
