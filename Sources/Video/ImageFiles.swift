// SPDX-License-Identifier: Apache-2.0

/// Picture files, one after the other, as a stream of frames.
///
/// What the names say of holes, of other clips and of the time is told by `PictureNames`. A picture
/// that cannot be read is left out and counted.
public final class ImageFiles: FrameSource {
  /// The size of the first readable picture, the rate from the options, the format of the files.
  public let info: StreamInfo
  /// How reading has gone so far; a picture that cannot be read counts as a damaged packet.
  public private(set) var report = StreamReport()
  /// The files, in order.
  public let paths: [String]

  private let options: VideoOptions
  private let order: PictureNames
  /// What frames are called: the files' names without folder and extension, or as much of the paths
  /// as tells them apart.
  private let frameNames: [String]
  private var position = 0
  private var waiting: (image: Image, position: Int)?
  /// Why the stream broke before a picture that was left out, or in it.
  private var pending: StreamBreak?
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
    paths = inOrderOfNames(files)
    guard !paths.isEmpty else {
      throw VideoError(.emptyFolder, at: source, "there is no picture in it")
    }
    let first = try Self.firstReadable(paths, options: options)
    order = PictureNames(paths, rate: options.imageRate)
    frameNames = distinctNames(of: paths)
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
      pending = StreamBreak.chief(pending, order.breaks[position])
      if let image = try readImage() { return try frame(image) }
      pending = StreamBreak.chief(pending, .damage)
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
    let kind = StreamBreak.chief(pending, changesSize ? .size : nil)
    if let kind { report.breaks[kind, default: 0] += 1 }
    defer {
      report.decoded += 1
      pending = nil
    }
    return Frame(
      index: report.decoded, time: order.times[position],
      pixels: fits ? image : try image.scaled(width: info.width, height: info.height),
      streamBreak: kind, duration: order.duration(at: position), name: frameNames[position])
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

/// A path's name without folder and extension.
private func stem(_ path: String) -> String {
  let name = path.split(separator: "/").last.map(String.init) ?? path
  return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
}

/// The files' names without folder and extension; where these are not all different, folders and
/// extensions belong to them, as far as paths differ.
private func distinctNames(of paths: [String]) -> [String] {
  let stems = paths.map(stem)
  guard Set(stems).count < stems.count else { return stems }
  let parts = paths.map { $0.split(separator: "/") }
  let least = parts.map(\.count).min() ?? 1
  let common = (0..<(least - 1)).prefix { place in
    parts.allSatisfy { $0[place] == parts[0][place] }
  }.count
  let longer = zip(parts, stems).map { (parts: [Substring], stem: String) in
    (parts[common..<(parts.count - 1)].map(String.init) + [stem]).joined(separator: "_")
  }
  if Set(longer).count == longer.count { return longer }
  let whole = zip(longer, paths).map { "\($0)_\(suffix($1))" }
  return Set(whole).count == whole.count
    ? whole : whole.enumerated().map { "\($1)_\($0)" }
}

private func suffix(_ path: String) -> String {
  path.split(separator: ".").last?.lowercased() ?? ""
}
