// SPDX-License-Identifier: Apache-2.0

import Testing
import Video

struct ScaledLabelsTests {
  private let labels = Image(width: 3, height: 2, channels: 1, bytes: [1, 2, 3, 4, 5, 6])

  @Test func everyLabelGrowsToABlock() {
    let grown = labels.scaledLabels(to: PixelSize(width: 6, height: 4))
    #expect(
      grown.bytes == [
        1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6,
      ])
  }

  @Test func theLabelUnderThePixelsCentreIsTaken() {
    #expect(labels.scaledLabels(to: PixelSize(width: 1, height: 1)).bytes == [5])
    #expect(labels.scaledLabels(to: PixelSize(width: 2, height: 2)).bytes == [1, 3, 4, 6])
  }

  @Test func itsOwnSizeLeavesItAsItIs() {
    #expect(labels.scaledLabels(to: labels.size) == labels)
  }
}
