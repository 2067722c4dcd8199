// SPDX-License-Identifier: Apache-2.0

internal import CFFmpeg
internal import Glibc

/// Where live frames come from, told by its text.
public enum LiveAddress: Sendable, Hashable {
  /// A camera: `/dev/video0`, or its number alone.
  case camera(String)
  /// An address of a protocol that is read: `rtsp://…`, `udp://…`.
  case network(String)
  /// Standard input: `-`.
  case standardInput
  /// A named pipe.
  case pipe(String)
  /// A file, read at its own rate.
  case file(String)

  /// What each protocol may open in turn: an address leads to nothing else.
  private static let protocols = [
    "rtsp": "rtsp,rtp,udp,tcp", "rtsps": "rtsps,rtp,srtp,udp,tcp,tls", "http": "http,tcp",
    "https": "https,tls,tcp", "udp": "udp", "tcp": "tcp", "rtmp": "rtmp,tcp", "srt": "srt",
  ]

  /// - Throws: `refusedFormat` for a protocol that is not read, `missingFile` where nothing is,
  ///   `unreadable` for a folder.
  public init(_ text: String) throws(VideoError) {
    if text == "-" {
      self = .standardInput
    } else if !text.isEmpty, text.count <= 3, text.allSatisfy({ $0.isASCII && $0.isNumber }) {
      self = .camera("/dev/video\(text)")
    } else if let scheme = Self.scheme(of: text) {
      guard Self.protocols[scheme] != nil else {
        let known = Self.protocols.keys.sorted().map { "\($0)://" }.joined(separator: ", ")
        throw VideoError(.refusedFormat, at: text, "\(scheme):// is not read; \(known) are")
      }
      self = .network(text)
    } else {
      self = try Self.local(text)
    }
  }

  private static func local(_ path: String) throws(VideoError) -> Self {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard !path.hasPrefix("/dev/video") else { return .camera(path) }
      throw VideoError(.missingFile, at: path, "there is no such file, pipe or camera")
    }
    return switch status.st_mode & S_IFMT {
    case S_IFIFO: .pipe(path)
    case S_IFCHR where path.hasPrefix("/dev/stdin") || path.hasPrefix("/dev/fd/"): .standardInput
    case S_IFCHR: .camera(path)
    case S_IFDIR: throw VideoError(.unreadable, at: path, "a folder, not a stream")
    default: .file(path)
    }
  }

  private static func scheme(of text: String) -> String? {
    guard let range = text.firstRange(of: "://"), range.lowerBound > text.startIndex else {
      return nil
    }
    return text[..<range.lowerBound].lowercased()
  }

  /// Whether it can be connected to again once it is lost.
  public var canReconnect: Bool {
    switch self {
    case .camera, .network, .pipe: true
    case .standardInput, .file: false
    }
  }

  /// What errors call it; a password in an address is left out.
  public var name: String {
    switch self {
    case .camera(let path), .pipe(let path), .file(let path): path
    case .standardInput: "standard input"
    case .network(let address): Self.withoutPassword(address)
    }
  }

  private static func withoutPassword(_ address: String) -> String {
    guard let begin = address.firstRange(of: "://")?.upperBound else { return address }
    let end = address[begin...].firstIndex(of: "/") ?? address.endIndex
    guard let at = address[begin..<end].lastIndex(of: "@") else { return address }
    return address[..<begin] + "…" + address[at...]
  }

  /// What the protocol of an address may open in turn; nil for what is none.
  var protocols: String? {
    guard case .network(let address) = self else { return nil }
    return Self.scheme(of: address).flatMap { Self.protocols[$0] }
  }

  /// The demuxer of an address, where the protocol tells it.
  var formats: String? {
    guard case .network(let address) = self, let scheme = Self.scheme(of: address) else {
      return nil
    }
    return scheme.hasPrefix("rtsp") ? "rtsp" : nil
  }

  /// What is told to FFmpeg's protocol and demuxer.
  var settings: String? {
    guard case .network(let address) = self else { return nil }
    // Joining in the middle of a group of pictures, it takes a while to see the first key frame.
    let patience = "analyzeduration=10000000"
    return Self.scheme(of: address)?.hasPrefix("rtsp") == true
      ? "rtsp_flags=prefer_tcp:" + patience : patience
  }
}

/// The form of pictures without a header: `640x480:rgb24@30`.
public struct RawVideo: Sendable, Hashable, CustomStringConvertible {
  /// Pixels across, and pixels down.
  public let width: Int, height: Int
  /// The layout by FFmpeg's name, such as `rgb24` or `yuv420p`.
  public let pixelFormat: String
  /// Pictures a second.
  public let rate: FrameRate

  /// Nil where the text is none of this form, or the size is beyond the limits.
  public init?(_ text: String, limits: PixelLimits = .standard) {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    let front = parts[0].split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, front.count == 2, let rate = Double(parts[1]), rate > 0, rate <= 1000,
      !front[1].isEmpty, front[1].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
    else { return nil }
    let sides = front[0].split(separator: "x", omittingEmptySubsequences: false)
    guard sides.count == 2, let width = Int(sides[0]), let height = Int(sides[1]), width > 0,
      height > 0, width <= limits.pixels / height
    else { return nil }
    (self.width, self.height, pixelFormat) = (width, height, String(front[1]))
    self.rate = FrameRate(nearest: rate)
  }

  /// As `640x480:rgb24@30`.
  public var description: String { "\(width)x\(height):\(pixelFormat)@\(rate)" }

  var settings: String {
    "video_size=\(width)x\(height):pixel_format=\(pixelFormat):framerate=\(rate)"
  }
}
