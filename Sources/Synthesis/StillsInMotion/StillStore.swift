// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Synchronization
internal import Video

/// Stills taken apart, kept while there is room.
final class StillStore: Sendable {
  private let stills: any LabelledClip
  private let roles: StillRoles?
  private let room: Int
  private let kept = Mutex(Kept())

  private struct Kept {
    var scenes: [Int: StillScene] = [:]
    /// Oldest first.
    var order: [Int] = []
    var bytes = 0
  }

  /// Keeps stills of up to `room` bytes together.
  init(_ stills: any LabelledClip, room: Int) {
    (self.stills, self.room) = (stills, room)
    roles = StillRoles(stills.classes)
  }

  var count: Int { stills.count }
  var files: [String] { stills.files }

  /// Void of the stills' classes, or what stands for it.
  var void: UInt8 { stills.classes.void ?? 255 }

  func scene(at index: Int) throws -> StillScene {
    if let scene = kept.withLock({ $0.scenes[index] }) { return scene }
    // Several threads may take the same still apart at once; they make the same of it.
    let scene = StillScene(try stills.sample(at: index), roles: roles, void: void)
    kept.withLock { kept in
      guard kept.scenes[index] == nil, scene.byteCount <= room else { return }
      kept.scenes[index] = scene
      kept.order.append(index)
      kept.bytes += scene.byteCount
      while kept.bytes > room, let oldest = kept.order.first {
        kept.order.removeFirst()
        kept.bytes -= kept.scenes.removeValue(forKey: oldest)?.byteCount ?? 0
      }
    }
    return scene
  }
}
