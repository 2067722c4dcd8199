// SPDX-License-Identifier: Apache-2.0

internal import Video

/// Where labels are wrong: the class that was given there, and void elsewhere.
struct ErrorMap {
  private let map: Image
  private let palette: Palette

  init(_ labels: Image, truth: Image, classes: ClassList) {
    let labels = labels.scaledLabels(to: truth.size)
    let void = classes.void ?? 255
    map = Image(width: truth.width, height: truth.height, channels: 1) { out in
      labels.withUnsafeBytes { labels in
        truth.withUnsafeBytes { truth in
          for at in out.indices {
            let isWrong = truth[at] < classes.count && labels[at] != truth[at]
            out[at] = isWrong ? labels[at] : void
          }
        }
      }
    }
    palette = classes.palette
  }

  func write(to path: String) throws { try map.writePNG(to: path, palette: palette) }
}
