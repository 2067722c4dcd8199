// SPDX-License-Identifier: Apache-2.0

import Inbetween

/// A change score: how far the samples are from the keyframe's, in levels of 255 on average.
///
/// What is registered is the scheduler of that name too: `brightness:4`, `brightness:red,rate=0.2`.
struct BrightnessChange: ChangeScore {
  /// The channels that are looked at; an image has blue, green, red.
  enum Channel: String, CaseIterable { case blue, green, red, all }

  let channel: Channel
  var name: String { "levels changed" }
  var dependsOnMotion: Bool { false }

  func score(at context: FrameContext) -> Double? {
    let (here, there) = (context.frame.pixels.bytes, context.keyframe.pixels.bytes)
    let first = Channel.allCases.firstIndex(of: channel) ?? 0
    let places = stride(
      from: channel == .all ? 0 : first, to: here.count, by: channel == .all ? 1 : 3)
    let sum = places.reduce(0) { $0 + abs(Int(here[$1]) - Int(there[$1])) }
    return Double(sum) * (channel == .all ? 1 : 3) / Double(here.count)
  }
}

extension Registries {
  mutating func registerBrightnessChange() {
    let channels = BrightnessChange.Channel.allCases.map(\.rawValue)
    register(
      changeScore: "brightness", "a keyframe once samples have changed by so many LEVELS of 255",
      options: [.optional("channel", .choice(channels), standard: "all", positional: false)],
      unit: "LEVELS"
    ) { options, _ in
      BrightnessChange(channel: .init(rawValue: options.text("channel")) ?? .all)
    }
  }
}
