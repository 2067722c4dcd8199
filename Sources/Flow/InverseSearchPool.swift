// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
internal import Video

/// What an estimator keeps from frame to frame: the last frames' pyramids and idle workspaces.
// Safe to share: the lists change under their locks only; a workspace is out of the pool while a
// call uses it, and a pyramid is filled before it is listed and refilled only when nobody else
// holds it.
final class InverseSearchPool: Sendable {
  private struct Entry {
    let storage: Image.Storage
    var pyramid: InverseSearchPyramid
  }

  private struct Idle: @unchecked Sendable { let workspace: InverseSearchWorkspace }

  /// The key and the current frame, and one more so that a frame's successor finds memory to reuse.
  private static let keptPyramids = 3
  /// Workspaces beyond this are let go when they come back.
  private static let keptWorkspaces = 8

  private let settings: InverseSearchSettings
  private let threads: Int
  /// The most recently used last.
  private let pyramids = Mutex<[Entry]>([])
  private let idle = Mutex<[Idle]>([])

  init(settings: InverseSearchSettings, threads: Int) {
    (self.settings, self.threads) = (settings, threads)
  }

  /// The pyramid of an image.
  ///
  /// It is the one made before where this very image, not just an equal one, was asked for lately.
  /// The image is kept with it, so that no other can take its place in memory.
  func pyramid(of image: Image) throws -> InverseSearchPyramid {
    if let known = known(image) { return known }
    let layout = InverseSearchLayout(width: image.width, height: image.height, settings: settings)
    let pyramid = spare(layout) ?? InverseSearchPyramid(layout: layout)
    pyramid.fill(from: try image.grey(), bands: RowBands(threads: threads))
    pyramids.withLock { $0.append(Entry(storage: image.storage, pyramid: pyramid)) }
    return pyramid
  }

  /// Lends a workspace of this layout to `body`.
  func withWorkspace<Result>(
    for layout: InverseSearchLayout, _ body: (InverseSearchWorkspace) -> Result
  ) -> Result {
    let workspace =
      idleWorkspace(layout)
      ?? InverseSearchWorkspace(layout: layout, settings: settings, threads: threads)
    defer { giveBack(workspace) }
    return body(workspace)
  }

  private func known(_ image: Image) -> InverseSearchPyramid? {
    pyramids.withLock { entries in
      guard let index = entries.firstIndex(where: { $0.storage === image.storage }) else {
        return nil
      }
      let entry = entries.remove(at: index)
      entries.append(entry)
      return entry.pyramid
    }
  }

  /// Lets the oldest pyramids go; one of them, if it fits and nobody else holds it, to be refilled.
  private func spare(_ layout: InverseSearchLayout) -> InverseSearchPyramid? {
    pyramids.withLock { entries in
      while entries.count >= InverseSearchPool.keptPyramids {
        var entry = entries.removeFirst()
        if entry.pyramid.layout == layout && isKnownUniquelyReferenced(&entry.pyramid) {
          return entry.pyramid
        }
      }
      return nil
    }
  }

  private func idleWorkspace(_ layout: InverseSearchLayout) -> InverseSearchWorkspace? {
    idle.withLock { idle in
      idle.lastIndex { $0.workspace.layout == layout }.map { idle.remove(at: $0).workspace }
    }
  }

  private func giveBack(_ workspace: InverseSearchWorkspace) {
    let returned = Idle(workspace: workspace)
    idle.withLock { idle in
      idle.append(returned)
      // Those of another size come from streams that ended or changed.
      if idle.count > InverseSearchPool.keptWorkspaces { idle.removeFirst() }
    }
  }
}
