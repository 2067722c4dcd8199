// SPDX-License-Identifier: Apache-2.0

/// How much the objects of a frame, as they were propagated to it, have changed since the key
/// frame: what a scheduler may compare where boxes are propagated.
///
/// Each figure is a mean over the objects that are shown; it is 0 at the key frame and grows with
/// the change.
public struct ObjectChange: Sendable, Hashable {
  /// The photometric error inside the boxes: grey levels, from 0 to 255, by which objects change
  /// along their motion from frame to frame, added up.
  ///
  /// Nil where no pictures are at hand.
  public var brightness: Double?
  /// How far points lie from their box's motion, in shares of the box's size, added up from frame
  /// to frame: things that turn, bend or are half hidden.
  public var spread: Double
  /// The share of the boxes that are about to leave the picture: less than half of what is in it
  /// now will be five frames from here, if they go on so.
  public var leaving: Double
  /// The share of the flow inside the boxes that does not speak for them, added up.
  public var unsupported: Double

  /// A change by its figures.
  public init(brightness: Double?, spread: Double, leaving: Double, unsupported: Double) {
    (self.brightness, self.spread) = (brightness, spread)
    (self.leaving, self.unsupported) = (leaving, unsupported)
  }
}
