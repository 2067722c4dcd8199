// SPDX-License-Identifier: Apache-2.0

internal import CFFmpeg
internal import Glibc

/// Opens live frames: cameras, addresses, pipes, standard input, files at their own rate.
public enum LiveSource {
  /// Opens what `address` names and keeps it open, as `patience` allows.
  ///
  /// `raw` is the form of pictures without a header, of standard input and pipes only; with
  /// `pipeReturns`, a pipe whose sender has closed it waits for the next one; `notice` is told, in
  /// a sentence, when the stream is lost and when it is back.
  public static func open(
    _ address: LiveAddress, raw: RawVideo? = nil, options: VideoOptions = VideoOptions(),
    patience: LivePatience = LivePatience(), pipeReturns: Bool = false, watch: LiveWatch,
    notice: @escaping (String) -> Void = { _ in }
  ) throws(VideoError) -> LiveStream {
    try LiveStream(
      address.name, recovery: address.recovery(pipeReturns: pipeReturns),
      patience: address.patience(patience), watch: watch, notice: notice
    ) { watch throws(VideoError) in
      guard case .file(let path) = address else {
        return try VideoFile(address, raw: raw, options: options, watch: watch)
      }
      return Paced(try VideoSource.open(path, options: options), watch: watch)
    }
  }
}

extension LiveAddress {
  fileprivate func recovery(pipeReturns: Bool) -> LiveStream.Recovery {
    switch self {
    case .camera, .network: .init(reopens: true, waitsOutStalls: false)
    case .pipe: .init(reopens: pipeReturns, waitsOutStalls: true)
    case .standardInput, .file: .init(reopens: false, waitsOutStalls: true)
    }
  }

  /// A file comes when it comes, however far its pictures are apart.
  fileprivate func patience(_ patience: LivePatience) -> LivePatience {
    guard case .file = self else { return patience }
    var endless = patience
    (endless.timeout, endless.maxOutage) = (.seconds(1 << 40), .seconds(1 << 40))
    return endless
  }
}

/// Where FFmpeg's reader takes packets from, as long as it is open.
final class ReaderInput {
  let path: String
  private let protocols: String?
  private let format: String?
  private let settings: String?
  private let isDevice: Bool
  private let descriptor: Int32
  private let owns: Bool
  private let watch: LiveWatch?

  /// A file.
  init(file path: String) {
    (self.path, protocols, format, settings) = (path, nil, nil, nil)
    (isDevice, descriptor, owns, watch) = (false, -1, false, nil)
  }

  init(_ address: LiveAddress, raw: RawVideo?, watch: LiveWatch) throws(VideoError) {
    (protocols, self.watch) = (address.protocols, watch)
    var opened: Int32 = -1
    switch address {
    case .network(let text): path = text
    case .camera(let text): path = text
    case .standardInput: (path, opened) = (address.name, STDIN_FILENO)
    case .pipe(let text), .file(let text):
      path = text
      opened = Glibc.open(text, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      guard opened >= 0 else { throw VideoError(.unreadable, at: text, systemSentence()) }
    }
    (descriptor, owns) = (opened, opened > STDIN_FILENO)
    if case .camera = address { isDevice = true } else { isDevice = false }
    format = isDevice ? "video4linux2" : raw == nil ? address.formats : "rawvideo"
    settings = raw?.settings ?? address.settings
  }

  deinit { if owns { close(descriptor) } }

  /// Calls `body` with it in C's terms; the strings live as long as that.
  func with<Result>(_ body: (cff_input) -> Result) -> Result {
    withOptional(protocols) { protocols in
      withOptional(format) { format in
        withOptional(settings) { settings in
          var input = cff_input()
          (input.protocols, input.format, input.settings) = (protocols, format, settings)
          (input.descriptor, input.is_device) = (descriptor, isDevice)
          guard let watch else { return body(input) }
          // Whoever owns this input owns the reader, and with it all that calls back.
          input.context = Unmanaged.passUnretained(watch).toOpaque()
          input.gives_up = { context in
            context.map { Unmanaged<LiveWatch>.fromOpaque($0).takeUnretainedValue().givesUp }
              ?? false
          }
          return body(input)
        }
      }
    }
  }

  private func withOptional<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
  ) -> Result {
    guard let text else { return body(nil) }
    return text.withCString(body)
  }
}
