// SPDX-License-Identifier: Apache-2.0
internal import Outputs
internal import Video

/// Middlebury's `.flo` files (Baker et al., IJCV 2011): "PIEH", then width and height as 32-bit
/// integers, then dx, dy of each pixel as 32-bit floats, row by row, all little endian. A value
/// beyond 10⁹, or one that is no number, says that the motion is unknown.
extension MotionField {
  private static let flowMagic: UInt32 = 0x4845_4950  // "PIEH"; as a float 202021.25
  private static let flowHeader = 12
  private static let unknownFlow: Float = 1e10

  /// Reads a `.flo` file.
  public init(floFile path: String) throws(FlowError) {
    let bytes = try Self.contents(of: path)
    let size = try Self.flowSize(of: bytes, path: path)
    var (displacements, marks) = ([Float](), [UInt8]())
    displacements.reserveCapacity(2 * size.width * size.height)
    marks.reserveCapacity(size.width * size.height)
    bytes.withUnsafeBytes { bytes in
      for cell in 0..<(size.width * size.height) {
        let at = Self.flowHeader + 8 * cell
        let (dx, dy) = (bytes.float(at: at), bytes.float(at: at + 4))
        let isKnown = abs(dx) <= 1e9 && abs(dy) <= 1e9
        displacements.append(isKnown ? dx : 0)
        displacements.append(isKnown ? dy : 0)
        marks.append(isKnown ? 1 : 0)
      }
    }
    self.init(
      width: size.width, height: size.height, displacements: displacements, marks: marks)
  }

  /// Writes a `.flo` file: whole, or not at all.
  public func write(floFile path: String) throws(FlowError) {
    var bytes = [UInt8]()
    bytes.reserveCapacity(Self.flowHeader + 8 * width * height)
    for word in [Self.flowMagic, UInt32(width), UInt32(height)] { bytes.append(littleEndian: word) }
    let displacements = displacements
    for cell in 0..<(width * height) {
      let isKnown = known.map { $0[cell] != 0 } ?? true
      for part in 0..<2 {
        let value = isKnown ? displacements[2 * cell + part] : Self.unknownFlow
        bytes.append(littleEndian: value.bitPattern)
      }
    }
    do throws(OutputError) { try PendingFile.write(bytes, to: path) } catch {
      throw FlowError(error.isRefused ? .unwritable : .writeFailed, "\(error)")
    }
  }

  private static func contents(of path: String) throws(FlowError) -> [UInt8] {
    do throws(VideoError) {
      return try readBytes(of: path, limit: flowHeader + 8 * PixelLimits.standard.pixels)
    } catch {
      throw FlowError(.unreadable, "\(error)")
    }
  }

  /// The size that the header tells, if the file is as long as it has to be.
  private static func flowSize(
    of bytes: [UInt8], path: String
  ) throws(FlowError) -> (width: Int, height: Int) {
    let words = bytes.withUnsafeBytes { bytes in
      bytes.count < flowHeader ? [] : [0, 4, 8].map { bytes.word(at: $0) }
    }
    guard words.first == flowMagic else {
      throw FlowError(.unreadable, "\(path) is no .flo file: it does not begin with PIEH")
    }
    let (width, height) = (Int(Int32(bitPattern: words[1])), Int(Int32(bitPattern: words[2])))
    let mostCells = PixelLimits.standard.pixels
    guard width > 0 && height > 0 && width <= mostCells && height <= mostCells / width else {
      throw FlowError(.unreadable, "\(path) claims to hold \(width)×\(height) pixels")
    }
    guard bytes.count == flowHeader + 8 * width * height else {
      throw FlowError(
        .unreadable,
        """
        \(path) holds \(bytes.count) bytes, but \(width)×\(height) pixels of motion take \
        \(flowHeader + 8 * width * height)
        """)
    }
    return (width, height)
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func word(at offset: Int) -> UInt32 {
    UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  fileprivate func float(at offset: Int) -> Float { Float(bitPattern: word(at: offset)) }
}

extension [UInt8] {
  fileprivate mutating func append(littleEndian word: UInt32) {
    Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
  }
}
