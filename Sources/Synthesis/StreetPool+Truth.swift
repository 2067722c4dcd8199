// SPDX-License-Identifier: Apache-2.0

public import Video

extension StreetPool {
  /// The picture of frame `index`, and its classes, depth and boxes, drawn in one go.
  public func viewWithTruth(at index: Int) -> (image: Image, truth: StreetTruth) {
    let (street, time) = place(of: index)
    return street.viewWithTruth(at: time)
  }
}
