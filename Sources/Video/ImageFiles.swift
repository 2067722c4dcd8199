// SPDX-License-Identifier: Apache-2.0

/// Picture files, one after the other, as a stream of frames.
///
/// Where the numbers in the names skip more than their usual step, or the rest of the name changes,
/// the next frame is marked by `followsBreak`. A picture that cannot be read is left out and
/// counted.
public final class ImageFiles: FrameSource {
  /// The size of the first readable picture, the rate from the options, the format of the files.
  public let info: StreamInfo
  /// How reading has gone so far; a picture that cannot be read counts as a damaged packet.
  public private(set) var report = StreamReport()
  /// The files, in order.
  public let paths: [String]

  private let options: VideoOptions
  /// For each file, whether pictures seem to be missing before it.
  private let followsGap: [Bool]
  private var position = 0
  private var waiting: (image: Image, position: Int)?
  private var followsBreak = false
  private var lastSize: (width: Int, height: Int)

  static let extensions: Set<String> = [
    "png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "pbm", "pgm", "ppm", "pnm",
  ]

  /// Whether the name ends like that of a picture.
  package static func isPicture(_ path: String) -> Bool {
    guard let dot = path.lastIndex(of: ".") else { return false }
    return extensions.contains(path[path.index(after: dot)...].lowercased())
  }

  /// All pictures of a folder.
  public convenience init(
    in folder: String, options: VideoOptions = VideoOptions()
  ) throws(VideoError) {
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    let found = try names(in: folder).filter(Self.isPicture).map { prefix + $0 }
    try self.init(found, of: folder, options: options)
  }

  /// All pictures whose paths match a shell pattern.
  public convenience init(
    matching pattern: String, options: VideoOptions = VideoOptions()
  ) throws(VideoError) {
    let found = Video.paths(matching: pattern)
    if found.isEmpty { throw VideoError(.missingFile, at: pattern, "no file matches") }
    try self.init(found.filter(Self.isPicture), of: pattern, options: options)
  }

  /// These pictures; `source` is what errors name.
  public init(
    _ files: [String], of source: String, options: VideoOptions = VideoOptions()
  ) throws(VideoError) {
    paths = files.sorted(by: precedesNaturally)
    guard !paths.isEmpty else {
      throw VideoError(.emptyFolder, at: source, "there is no picture in it")
    }
    let first = try Self.firstReadable(paths, options: options)
    followsGap = gaps(in: paths.map(stem))
    info = StreamInfo(
      width: first.image.width, height: first.image.height, frameRate: options.imageRate,
      codec: suffix(paths[first.position]), claimedFrameCount: paths.count)
    lastSize = (info.width, info.height)
    report.claimed = paths.count
    report.firstDamage = first.damage
    waiting = (first.image, first.position)
    self.options = options
  }

  private static func firstReadable(
    _ paths: [String], options: VideoOptions
  ) throws(VideoError) -> (image: Image, position: Int, damage: String?) {
    do throws(VideoError) {
      return (try Image(contentsOf: paths[0], limits: options.limits), 0, nil)
    } catch {
      guard options.onDamage == .conceal else { throw error }
      for position in paths.indices.dropFirst() {
        if let image = try? Image(contentsOf: paths[position], limits: options.limits) {
          return (image, position, "\(error)")
        }
      }
      throw error
    }
  }

  /// The next picture that can be read, at the first one's size; nil after the last.
  public func next() throws(VideoError) -> Frame? {
    while position < paths.count {
      defer { position += 1 }
      followsBreak = followsBreak || followsGap[position]
      report.gaps += followsGap[position] ? 1 : 0
      if let image = try readImage() { return try frame(image) }
      followsBreak = true
      report.damagedPackets += 1
    }
    return nil
  }

  private func readImage() throws(VideoError) -> Image? {
    if let waiting {
      guard waiting.position == position else { return nil }
      self.waiting = nil
      return waiting.image
    }
    do throws(VideoError) {
      return try Image(contentsOf: paths[position], limits: options.limits)
    } catch {
      guard options.onDamage == .fail else {
        report.firstDamage = report.firstDamage ?? "\(error)"
        return nil
      }
      position = paths.count
      throw error
    }
  }

  private func frame(_ image: Image) throws(VideoError) -> Frame {
    let changesSize = try noteSize(image)
    let fits = (image.width, image.height) == (info.width, info.height)
    defer {
      report.decoded += 1
      followsBreak = false
    }
    return Frame(
      index: report.decoded, time: Double(position) / options.imageRate.framesPerSecond,
      pixels: fits ? image : try image.scaled(width: info.width, height: info.height),
      followsBreak: followsBreak || changesSize, name: stem(paths[position]))
  }

  private func noteSize(_ image: Image) throws(VideoError) -> Bool {
    guard (image.width, image.height) != lastSize else { return false }
    if options.onSizeChange == .fail {
      let path = paths[position]
      position = paths.count
      throw VideoError(
        .sizeChanged, at: path,
        "\(image.width)×\(image.height) pixels after \(lastSize.width)×\(lastSize.height)")
    }
    lastSize = (image.width, image.height)
    report.sizeChanges += 1
    return true
  }
}

/// For each name, whether its number is further from the one before than is usual among them.
private func gaps(in names: [String]) -> [Bool] {
  let numbers = names.map(numbering)
  let steps: [Int?] = zip(numbers, numbers.dropFirst()).map { one, other in
    guard let one, let other, one.around == other.around else { return nil }
    return other.number - one.number
  }
  let counts = Dictionary(steps.compactMap { $0 }.map { ($0, 1) }, uniquingKeysWith: +)
  guard let usual = counts.max(by: { ($0.value, -$0.key) < ($1.value, -$1.key) })?.key else {
    return names.map { _ in false }
  }
  return [false] + steps.map { step in step.map { $0 > usual } ?? true }
}

/// A path's name without folder and extension.
private func stem(_ path: String) -> String {
  let name = path.split(separator: "/").last.map(String.init) ?? path
  return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
}

private func suffix(_ path: String) -> String {
  path.split(separator: ".").last?.lowercased() ?? ""
}
