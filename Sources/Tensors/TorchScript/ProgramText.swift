// SPDX-License-Identifier: Apache-2.0

/// The text of a program in an archive, as far as LibTorch's parser would end the process over it.
///
/// The parser calls itself for everything that is inside something else or joined to something
/// before it, as often as the text wants.
struct ProgramText {
  /// For each bracket that is open, how many signs stand in what is between two commas there.
  private var joined = [0]
  private var indent = 0
  private var isLineStart = true
  private var word: [UInt8] = []
  private var alternatives = 0

  private static let deepest = 200
  private static let mostJoined = 2000

  /// What is wrong with it; nil for nothing.
  static func fault(in text: [UInt8]) -> String? {
    var program = ProgramText()
    for byte in text {
      if let fault = program.take(byte) { return fault }
    }
    return nil
  }

  private mutating func take(_ byte: UInt8) -> String? {
    switch byte {
    case 0: return "is no program: it has a byte of zero"
    case UInt8(ascii: "\n"):
      if joined.count == 1 { joined[0] = 0 }
      (indent, isLineStart) = (0, true)
    case UInt8(ascii: " "), UInt8(ascii: "\t"):
      if isLineStart { indent += 1 } else { joined[joined.count - 1] += 1 }
    case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"):
      joined[joined.count - 1] += 1
      joined.append(0)
      isLineStart = false
    case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
      if joined.count > 1 { joined.removeLast() }
    case UInt8(ascii: ","): joined[joined.count - 1] = 0
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      return take(letter: byte)
    default:
      joined[joined.count - 1] += 1
      isLineStart = false
    }
    word = []
    return fault
  }

  private mutating func take(letter: UInt8) -> String? {
    isLineStart = false
    if word.count < 5 { word.append(letter) }
    if word == Array("elif".utf8) { alternatives += 1 }
    return fault
  }

  private var fault: String? {
    if joined.count > Self.deepest || indent > Self.deepest || alternatives > Self.mostJoined {
      return "is nested deeper than a program is"
    }
    return joined[joined.count - 1] > Self.mostJoined ? "has a statement that is too long" : nil
  }
}
