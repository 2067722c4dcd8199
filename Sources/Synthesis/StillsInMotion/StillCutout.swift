// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Video

/// Something cut out of a still by its label mask: it stands upright, and faces the camera or
/// slants.
struct StillCutout: Sendable {
  /// Where the texture's first pixel lies in the still.
  let origin: (x: Int, y: Int)
  /// What lies outside the mask is clear; there is one clear pixel all around.
  let texture: StillTexture
  /// A label for each pixel of the texture, outside of the mask too.
  let labels: [UInt8]
  /// One over the depth, at the middle and as it grows with each pixel to the right.
  let nearness: (middle: Double, slope: Double)
  /// Where it stands: the middle column and the lowest row of the mask, in the still.
  let foot: (x: Double, y: Double)
  /// Whether all of it seems to be seen and it may stand anywhere.
  let isMover: Bool

  var byteCount: Int { 5 * labels.count }

  /// Cuts a patch out.
  init(
    _ patch: StillComponent, mark: UInt16, of components: StillComponents,
    from sample: LabelledSample,
    labels map: Image, nearness: (middle: Double, slope: Double), isMover: Bool
  ) {
    let (width, height) = (patch.right - patch.left + 3, patch.bottom - patch.top + 3)
    var texels = [UInt32](repeating: 0, count: width * height)
    var labels = [UInt8](repeating: patch.group, count: width * height)
    let image = sample.frame.pixels
    image.withUnsafeBytes { pixels in
      map.withUnsafeBytes { map in
        for y in patch.top...patch.bottom {
          for x in patch.left...patch.right {
            let at = y * image.width + x, to = (y - patch.top + 1) * width + x - patch.left + 1
            guard components.marks[at] == mark else { continue }
            let (blue, green) = (UInt32(pixels[3 * at]), UInt32(pixels[3 * at + 1]))
            texels[to] = blue | green << 8 | UInt32(pixels[3 * at + 2]) << 16 | 0xFF00_0000
            labels[to] = map[at]
          }
        }
      }
    }
    origin = (patch.left - 1, patch.top - 1)
    texture = StillTexture(width: width, height: height, texels: texels)
    (self.labels, self.nearness, self.isMover) = (labels, nearness, isMover)
    foot = (Double(patch.left + patch.right) / 2, Double(patch.bottom))
  }

  private init(_ cutout: StillCutout, texture: StillTexture) {
    (origin, foot, labels) = (cutout.origin, cutout.foot, cutout.labels)
    (nearness, isMover, self.texture) = (cutout.nearness, cutout.isMover, texture)
  }

  /// The same in other light.
  func brightened(by gain: Float) -> StillCutout {
    StillCutout(self, texture: texture.brightened(by: gain))
  }
}
