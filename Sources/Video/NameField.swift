// SPDX-License-Identifier: Apache-2.0

/// One number in the names of pictures that differ in their numbers alone.
struct NameField {
  /// One a name; nil where there are more digits than can be held.
  private let values: [Int?]
  /// Seconds a step of 1 stands for, where the digits say so.
  private let unit: Double?
  /// From each picture to the next.
  let steps: [Int]
  /// Whether it differs between most pictures and the next.
  let isRunning: Bool

  private init(_ values: [Int?], unit: Double? = nil) {
    (self.values, self.unit) = (values, unit)
    steps = zip(values, values.dropFirst()).map { one, other in
      guard let one, let other else { return 0 }
      let (step, overflows) = other.subtractingReportingOverflow(one)
      return overflows ? 0 : step
    }
    isRunning = 2 * steps.count { $0 != 0 } > steps.count
  }

  /// Whether it grows from most pictures to the next, where no other clip begins.
  func increases(but isNew: [Bool]) -> Bool {
    let inside = steps.indices.filter { !isNew[$0 + 1] }
    return 3 * inside.count { steps[$0] > 0 } >= 2 * inside.count
  }

  /// For each step, whether pictures seem to be missing in it: it is about twice the usual one of
  /// those around it, or more.
  func holes(but isNew: [Bool]) -> [Bool] {
    steps.indices.map { place in
      guard steps[place] > 0, !isNew[place + 1] else { return false }
      let around = max(0, place - 4)..<min(steps.count, place + 5)
      let known = around.filter { steps[$0] > 0 && !isNew[$0 + 1] }.map { Double(steps[$0]) }
        .sorted()
      return BreakDetector.isHole(
        Double(steps[place]), usual: known[(known.count - 1) / 2], before: nil, tolerance: 1.9)
    }
  }

  /// Seconds since the first of some pictures; nil where the numbers are no times.
  func times(of places: Range<Int>) -> [Double]? {
    let known = values[places].compactMap { $0 }
    guard known.count == places.count, let first = known.first, known.allSatisfy({ $0 >= first }),
      let unit = unit ?? guessedUnit(of: places)
    else { return nil }
    return known.map { Double($0 - first) * unit }
  }

  /// Steps of clocks vary a little, those of numbers are multiples of one another.
  private func guessedUnit(of places: Range<Int>) -> Double? {
    let steps = steps[places.lowerBound..<max(places.lowerBound, places.upperBound - 1)]
    guard let least = steps.min(), least > 0 else { return nil }
    let sorted = steps.sorted()
    let usual = sorted[(sorted.count - 1) / 2]
    let isNear = steps.count { 5 * abs($0 - usual) < usual } * 2 > steps.count
    guard isNear, steps.contains(where: { $0 % least != 0 }) else { return nil }
    // From 1 to 250 pictures a second, whatever the unit.
    return [(4...1000, 1e-3), (4000...1_000_000, 1e-6), (4_000_000...1_000_000_000, 1e-9)]
      .first { (range: ClosedRange<Int>, _) in range.contains(usual) }?.1
  }
}

// How names are read.
extension NameField {
  /// The fields of names of one shape.
  static func fields(of names: [PictureName]) -> [NameField] {
    var fields: [NameField] = []
    var place = 0
    while place < names[0].numbers.count {
      if let (field, count) = date(at: place, in: names) {
        fields.append(field)
        place += count
      } else if isDecimal(at: place, in: names) {
        fields.append(decimal(at: place, in: names))
        place += 2
      } else {
        fields.append(whole(at: place, in: names))
        place += 1
      }
    }
    return fields
  }

  /// A whole number; of 10, 13, 16 or 19 digits it is the time since 1970.
  private static func whole(at place: Int, in names: [PictureName]) -> NameField {
    let texts = names.map { $0.numbers[place] }
    let lengths = Set(texts.map(\.count))
    let units = [10: 1, 13: 1e-3, 16: 1e-6, 19: 1e-9]
    let isTime = lengths.count == 1 && texts.allSatisfy { $0.first == "1" || $0.first == "2" }
    return NameField(texts.map { Int($0) }, unit: isTime ? units[lengths.first ?? 0] : nil)
  }

  /// Whether a number goes on after a point, as seconds do.
  ///
  /// `1305031102.175304` does; `clip1.9`, `clip1.10`, `clip2.1` are pictures of several clips.
  static func isDecimal(at place: Int, in names: [PictureName]) -> Bool {
    guard place + 1 < names[0].numbers.count, names[0].shape[place + 1] == "." else { return false }
    let wholes = Set(names.map { $0.numbers[place] })
    let fractions = names.map { $0.numbers[place + 1] }
    let varies = Set(fractions.map(\.count)).count > 1
    if varies, !fractions.allSatisfy({ $0 == "0" || $0.last != "0" }) { return false }
    let isClock = wholes.allSatisfy { $0.count >= 9 || $0 == "0" }
    guard isClock || wholes.count > 1 else { return false }
    let field = decimal(at: place, in: names)
    let sorted = field.values.compactMap { $0 }.sorted()
    let steps = zip(sorted, sorted.dropFirst()).map { $1 - $0 }
    guard let unit = field.unit, steps.count == names.count - 1, !steps.isEmpty else {
      return isClock
    }
    let usual = steps.sorted()[(steps.count - 1) / 2]
    guard Double(usual) * unit > 1.5e-3 else { return false }
    // Where a second is full, time goes on by a step like the others.
    let second = Int((1 / unit).rounded())
    let carries = zip(sorted, steps).filter { $0 / second != ($0 + $1) / second }
    return isClock || 2 * carries.count { $0.1 <= 5 * usual } >= carries.count
  }

  private static func decimal(at place: Int, in names: [PictureName]) -> NameField {
    let digits = min(9, names.map { $0.numbers[place + 1].count }.max() ?? 0)
    let values = names.map { Int($0.numbers[place] + padded($0.numbers[place + 1], to: digits)) }
    return NameField(values, unit: power(of: digits))
  }

  private static func padded(_ fraction: Substring, to digits: Int) -> String {
    String(fraction.prefix(digits)) + String(repeating: "0", count: max(0, digits - fraction.count))
  }

  private static func power(of digits: Int) -> Double {
    (0..<digits).reduce(1) { unit, _ in unit / 10 }
  }
}

// Dates.
extension NameField {
  /// A date and the time of day, perhaps with a fraction: `20240131_235959_123`,
  /// `2024-01-31-23-59-59`; and how many numbers it takes.
  private static func date(
    at place: Int, in names: [PictureName]
  ) -> (field: NameField, count: Int)? {
    for layout in [[14], [17], [8, 6], [8, 9], [4, 2, 2, 2, 2, 2]] {
      let rest = names[0].numbers.count - place
      guard rest >= layout.count else { continue }
      let texts = names.map { $0.numbers[place..<place + layout.count] }
      guard texts.allSatisfy({ $0.map(\.count) == layout }) else { continue }
      let seconds = texts.map { milliseconds(of: $0.joined()) }
      guard seconds.allSatisfy({ $0 != nil }) else { continue }
      let next = place + layout.count
      guard [14, 6, 2].contains(layout[layout.count - 1]), rest > layout.count,
        let length = fractionLength(at: next, in: names)
      else { return (NameField(seconds, unit: 1e-3), layout.count) }
      let values = zip(seconds, names).map { time, name in
        time.flatMap { Int("\($0 / 1000)" + padded(name.numbers[next], to: length)) }
      }
      return (NameField(values, unit: power(of: length)), layout.count + 1)
    }
    return nil
  }

  /// The digits of a fraction of a second after a date, the same in all names; nil for none.
  private static func fractionLength(at place: Int, in names: [PictureName]) -> Int? {
    let lengths = Set(names.map { $0.numbers[place].count })
    guard lengths.count == 1, let length = lengths.first, [3, 6, 9].contains(length),
      [".", ",", "_", "-"].contains(names[0].shape[place])
    else { return nil }
    return length
  }

  /// Since the year 0, of `YYYYMMDDhhmmss` with three more digits or none; nil for what is no date.
  private static func milliseconds(of digits: String) -> Int? {
    let all = digits.compactMap(\.wholeNumberValue)
    func number(_ range: Range<Int>) -> Int { all[range].reduce(0) { 10 * $0 + $1 } }
    let (year, month, day) = (number(0..<4), number(4..<6), number(6..<8))
    let (hour, minute, second) = (number(8..<10), number(10..<12), number(12..<14))
    guard (1970..<2100).contains(year), (1...12).contains(month), (1...31).contains(day),
      hour < 24, minute < 60, second <= 60
    else { return nil }
    let thousandths = all.count == 17 ? number(14..<17) : 0
    let time = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    return time * 1000 + thousandths
  }

  /// Days of the Gregorian calendar; March is the first month of a year, as it was in Rome.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let (y, m) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day
  }
}

/// Paths of pictures in the order in which they were taken, as far as names tell: folder by folder,
/// numbers as numbers, seconds with a fraction as such.
package func inOrderOfNames(_ paths: [String]) -> [String] {
  let named = paths.map { ($0, PictureName($0)) }
  let folders = Set(named.map(\.1.folder)).sorted { precedesNaturally(String($0), String($1)) }
  let order = Dictionary(uniqueKeysWithValues: folders.enumerated().map { ($1, $0) })
  let sorted = named.sorted {
    let (one, other) = (order[$0.1.folder] ?? 0, order[$1.1.folder] ?? 0)
    return one == other ? precedesNaturally($0.0, $1.0) : one < other
  }
  var (result, run) = ([String](), [(String, PictureName)]())
  for item in sorted {
    if let last = run.last, last.1.folder != item.1.folder || last.1.shape != item.1.shape {
      result += byDecimals(run)
      run = []
    }
    run.append(item)
  }
  return result + byDecimals(run)
}

/// Natural order takes the digits after a point for a number of their own.
private func byDecimals(_ run: [(path: String, name: PictureName)]) -> [String] {
  let names = run.map(\.name)
  guard let first = names.first else { return [] }
  let place = first.numbers.indices.first { NameField.isDecimal(at: $0, in: names) }
  guard let place else { return run.map(\.path) }
  let keyed = run.map { (path: $0.path, fraction: $0.name.numbers[place + 1]) }
  var result = keyed
  // Numbers before the fraction are in order already: only what they leave equal is sorted.
  var start = 0
  while start < result.count {
    var end = start + 1
    while end < result.count,
      names[end].numbers[...place].elementsEqual(names[start].numbers[...place])
    { end += 1 }
    result[start..<end].sort { $0.fraction.lexicographicallyPrecedes($1.fraction) }
    start = end
  }
  return result.map(\.path)
}
