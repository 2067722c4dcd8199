// SPDX-License-Identifier: Apache-2.0

/// What the names of picture files say of how the pictures follow each other: where another clip
/// begins, where pictures are missing, and when each was taken.
///
/// Another folder is another clip, and so is another name around the numbers. Of several numbers in
/// a name the first that changes from most pictures to the next counts pictures; another one before
/// it means another clip. It may count anything: frames, with a step of their own, or time; steps
/// that vary are no holes. Names tell the time where they hold a date, seconds with a fraction,
/// time since 1970, or numbers whose steps vary a little as those of clocks do.
package struct PictureNames: Sendable {
  /// Why a picture does not go on from the one before.
  package let breaks: [StreamBreak?]
  /// Seconds since the first picture.
  package let times: [Double]
  /// How long the last picture is shown, in seconds, as far as names can tell.
  package let lastDuration: Double

  /// Of pictures in this order, at `rate` where the names do not tell the time.
  package init(_ paths: [String], rate: FrameRate) {
    let frame = 1 / rate.framesPerSecond
    var breaks: [StreamBreak?] = [], times: [Double] = []
    var length = frame
    for run in Self.runs(paths.map(PictureName.init)) {
      for clip in run.clips {
        let told = run.times(of: clip)
        let begin = times.last.map { $0 + length } ?? 0
        length = told.flatMap(Self.usualStep) ?? frame
        for place in clip {
          let count = place - clip.lowerBound
          times.append(begin + (told?[count] ?? Double(count) * frame))
        }
      }
      let first = breaks.isEmpty || !run.isSystematic ? nil : StreamBreak.sequence
      breaks += [first] + run.breaks.dropFirst()
    }
    (self.breaks, self.times, lastDuration) = (breaks, times, length)
  }

  /// How long picture `index` is shown.
  package func duration(at index: Int) -> Double {
    index + 1 < times.count ? times[index + 1] - times[index] : lastDuration
  }

  private static func usualStep(_ times: [Double]) -> Double? {
    BreakDetector.median(of: zip(times, times.dropFirst()).map { $1 - $0 })
  }

  /// Pictures of one folder whose names differ in their numbers alone.
  private static func runs(_ names: [PictureName]) -> [NamedRun] {
    var runs: [[PictureName]] = []
    for name in names {
      if let last = runs.last?.last, last.folder == name.folder, last.shape == name.shape {
        runs[runs.count - 1].append(name)
      } else {
        runs.append([name])
      }
    }
    // Names without a system say nothing of where a clip begins.
    let numbered = runs.filter { $0.count > 1 && !$0[0].numbers.isEmpty }
      .reduce(0) { $0 + $1.count }
    let isSystem = 2 * numbered >= names.count
    return runs.enumerated().map { place, names in
      let isNewFolder = place > 0 && runs[place - 1].last?.folder != names[0].folder
      return NamedRun(names, isSystematic: isSystem || isNewFolder)
    }
  }
}

/// A path, its folder and the numbers in its name.
struct PictureName {
  let folder: Substring
  let stem: Substring
  /// What stands around the numbers.
  let shape: [Substring]
  let numbers: [Substring]

  init(_ path: String) {
    let slash = path.lastIndex(of: "/")
    folder = slash.map { path[..<$0] } ?? ""
    let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
    stem = name.lastIndex(of: ".").map { name[..<$0] } ?? name
    var (shape, numbers) = ([Substring](), [Substring]())
    var rest = stem
    while true {
      let text = rest.prefix { !$0.isDigit }
      shape.append(text)
      rest = rest[text.endIndex...]
      guard !rest.isEmpty else { break }
      let digits = rest.prefix(while: \.isDigit)
      numbers.append(digits)
      rest = rest[digits.endIndex...]
    }
    (self.shape, self.numbers) = (shape, numbers)
  }
}

extension Character {
  fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
}

/// Pictures of one folder whose names differ in their numbers alone, in order.
struct NamedRun {
  /// Whether the first of them begins another clip, if it is not the very first.
  let isSystematic: Bool
  let breaks: [StreamBreak?]
  /// The fields that count pictures or time, the one that counts pictures first.
  private let counting: [NameField]

  init(_ names: [PictureName], isSystematic: Bool) {
    self.isSystematic = isSystematic
    let fields = NameField.fields(of: names)
    // Cityscapes: CITY_SEQUENCE_FRAME, and perhaps one frame of each sequence alone.
    let isCityscapes = names[0].stem.hasSuffix("_leftImg8bit") && fields.count > 1
    let counter = isCityscapes ? fields.count - 2 : fields.firstIndex { $0.isRunning }
    guard let counter else {
      (breaks, counting) = ([StreamBreak?](repeating: nil, count: names.count), [])
      return
    }
    let isNew = names.indices.map { place in
      place > 0 && fields[..<counter].contains { $0.steps[place - 1] != 0 }
    }
    let first = fields[counter]
    counting = [first] + fields[(counter + 1)...].filter(\.isRunning)
    let holes = counting.filter { $0.increases(but: isNew) }.map { $0.holes(but: isNew) }
    let resets = first.increases(but: isNew)
    breaks = names.indices.map { place in
      guard place > 0 else { return nil }
      if isNew[place] { return .sequence }
      if resets, first.steps[place - 1] < 0 { return .reset }
      return holes.contains { $0[place - 1] } ? .gap : nil
    }
  }

  /// The pictures in order, cut where another clip begins or numbers begin anew.
  var clips: [Range<Int>] {
    let starts = breaks.indices.filter {
      $0 == 0 || breaks[$0] == .sequence || breaks[$0] == .reset
    }
    return zip(starts, starts.dropFirst() + [breaks.count]).map { $0..<$1 }
  }

  /// Seconds since the first picture of a clip; nil where the names do not tell.
  func times(of clip: Range<Int>) -> [Double]? {
    counting.lazy.compactMap { $0.times(of: clip) }.first
  }
}
