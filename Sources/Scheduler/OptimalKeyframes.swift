// SPDX-License-Identifier: Apache-2.0

/// The best `count` keys of a stream of `frames`, of which the first is one, where `score` says
/// what a frame is worth when it is propagated to from a key at or before it; and what they are
/// worth together.
///
/// Exact, by dynamic programming over the last key, in frames² · count steps: the upper bound for
/// any scheduler at that rate. It sees all of the stream, so no scheduler that is causal can have
/// it.
///
/// - Precondition: there are 1 to `frames` keys.
public func optimalKeyframes(
  _ count: Int, ofFrames frames: Int, score: (_ key: Int, _ frame: Int) -> Double
) -> (keys: [Int], total: Double) {
  precondition(frames >= 1 && (1...frames).contains(count), "\(count) keys of \(frames) frames")
  // What frames key ..< end are worth.
  var runs = [[Double]](repeating: [], count: frames)
  for key in 0..<frames {
    var sums = [Double](repeating: 0, count: frames - key + 1)
    for frame in key..<frames { sums[frame - key + 1] = sums[frame - key] + score(key, frame) }
    runs[key] = sums
  }
  // best[n][key]: frames before `key`, the n + 1th key, at their best; and the key before it.
  var best = [[Double]](
    repeating: [Double](repeating: -.infinity, count: frames + 1), count: count + 1)
  var before = [[Int]](repeating: [Int](repeating: 0, count: frames + 1), count: count + 1)
  best[0][0] = 0
  for number in 1...count {
    for end in number...frames {
      for key in (number - 1)..<end where best[number - 1][key] > -.infinity {
        let total = best[number - 1][key] + runs[key][end - key]
        if total > best[number][end] { (best[number][end], before[number][end]) = (total, key) }
      }
    }
  }
  var (keys, end) = ([Int](), frames)
  for number in stride(from: count, through: 1, by: -1) {
    end = before[number][end]
    keys.append(end)
  }
  return (keys.reversed(), best[count][frames])
}
