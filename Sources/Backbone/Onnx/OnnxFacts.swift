// SPDX-License-Identifier: Apache-2.0

internal import Engines
internal import Layers
internal import Specification
internal import Tensors
internal import Video

/// What an ONNX file says of itself that a description would say otherwise.
struct OnnxFacts {
  private let model: OnnxModel

  init(_ model: OnnxModel) { self.model = model }

  /// Whether Ultralytics' exporter wrote it, which notes classes and size.
  var isUltralytics: Bool {
    model.metadata["author"] == "Ultralytics" || model.metadata["names"] != nil
  }

  /// What Ultralytics' exporter calls its task; nil where nothing is noted.
  private var notedTask: String? { isUltralytics ? model.metadata["task"] : nil }

  /// Whether it says, or its outputs tell, that it finds boxes.
  var findsBoxes: Bool {
    guard let notedTask else {
      return givesNumberedRows || isUltralytics && usualDecoder(classes: nil) != nil
    }
    return Self.tasksWithBoxes.contains(notedTask)
  }

  /// Whether it drops overlapping boxes itself and gives rows of 7, as YOLOv7's exports do.
  private var givesNumberedRows: Bool {
    guard model.graph.outputs.count == 1, let sizes = model.graph.outputs[0].sizes,
      sizes.count == 2, sizes[1] == 7
    else { return false }
    return model.graph.nodes.contains { $0.kind == "NonMaxSuppression" }
  }

  /// Of its tasks those that are read.
  private static let tasksWithBoxes = ["detect", "segment", "pose"]

  /// - Throws: `SpecificationError` where the file says that it is for what is not read here.
  func checkIsRead() throws(SpecificationError) {
    if let notedTask, !Self.tasksWithBoxes.contains(notedTask) {
      throw SpecificationError(
        .badInput,
        "the file is for Ultralytics' task '\(notedTask)', which is not read; of theirs "
          + "detect, segment and pose are")
    }
    // Scores of whole pictures: no description could make a map of them.
    let outputs = model.graph.outputs
    if let sizes = outputs.first?.sizes, outputs.count == 1, sizes.count < 3, !findsBoxes {
      throw SpecificationError(
        .badInput,
        "the network gives \(outputs[0]), no map and no boxes: networks that classify whole "
          + "pictures are not read")
    }
  }

  /// How boxes are read where no description says so.
  func decoder(described: DescriptionReader?) throws(SpecificationError) -> PartSpec {
    var classes = notedNames?.count
    if let described, described.has("classes") {
      classes = try ClassList(classesOf: described).count
    }
    guard findsBoxes, let decoder = usualDecoder(classes: classes) else {
      throw SpecificationError(
        .badDescription, "decoder must be given: how boxes are read; see inbetween list")
    }
    let more = extras(of: decoder, classes: classes, described: described)
    return PartSpec(decoder.kind, decoder.options.merging(more) { $1 })
  }

  /// What follows box and class in rows of Ultralytics' segment and pose, by their length.
  private func extras(
    of decoder: PartSpec, classes: Int?, described: DescriptionReader?
  ) -> [String: OptionValue] {
    guard let sizes = model.graph.outputs.first?.sizes, sizes.count == 3, let notedTask,
      notedTask == "segment" || notedTask == "pose"
    else { return [:] }
    let before = decoder.kind == "rows" ? 6 : 4 + (classes ?? notedNames?.count ?? 0)
    let length = decoder.kind == "rows" ? sizes[2] : sizes[1]
    guard let length, length > before else { return [:] }
    let extra = length - before
    if notedTask == "pose" {
      let shape = (model.metadata["kpt_shape"] ?? "").split { !$0.isNumber }.compactMap { Int($0) }
      let isRead = shape.count == 2 && (2...3).contains(shape[1]) && extra == shape[0] * shape[1]
      return ["extra": .integer(extra), "points": .integer(isRead ? shape[0] : 0)]
    }
    // Whoever names the first output alone wants boxes alone.
    let named = described?.strings("names") ?? []
    let prototypes = model.graph.outputs.dropFirst().first?.sizes
    let hasMasks = model.graph.outputs.count == 2 && prototypes?.count == 4 && named.count != 1
    return ["extra": .integer(extra), "masks": .bool(hasMasks)]
  }

  /// Told by the sizes of the first output and by what Ultralytics' exporter noted; nil where
  /// these speak for none.
  private func usualDecoder(classes: Int?) -> PartSpec? {
    if givesNumberedRows { return PartSpec("yolov7") }
    let sizes = model.graph.outputs.first?.sizes
    if model.metadata["end2end"] == "True"
      || model.metadata["args"]?.contains("'nms': True") == true
    {
      return PartSpec("rows")
    }
    guard let sizes, sizes.count == 3, let classes = classes ?? notedNames?.count else {
      return notedTask == "detect" ? PartSpec("yolov8") : nil
    }
    let (first, last) = (sizes[1], sizes[2])
    // Rows of corners, score and class: 300 of them, where those of box and scores are thousands.
    if last == 6, let first, first != 4 + classes, first <= 1000 { return PartSpec("rows") }
    // YOLOv5's exporter notes classes and no task.
    if notedTask == nil { return last == 5 + classes ? PartSpec("yolov5") : nil }
    guard notedTask != "detect" else { return PartSpec("yolov8") }
    guard let first, first >= 4 + classes else { return nil }
    return PartSpec("yolov8")
  }

  /// The picture among its inputs: the order of axes, and the sizes that are fixed.
  struct Picture {
    let layout: OnnxDescription.Layout
    let width: Int?, height: Int?
    /// The size that its exporter noted.
    let usual: PixelSize?

    /// The size that pictures are brought to; nil for any.
    func size(described: DescriptionReader?) throws(SpecificationError) -> PixelSize? {
      var given: PixelSize?
      if let described, described.has("size") {
        let size = try described.numbers("size", count: 2)
        guard size.allSatisfy({ $0 >= 1 && $0 <= 16384 && $0 == $0.rounded() }) else {
          throw SpecificationError(.badDescription, "input.size is [height, width], each 1…16384")
        }
        given = PixelSize(width: Int(size[1]), height: Int(size[0]))
      }
      if let given, given.width != width ?? given.width || given.height != height ?? given.height {
        throw SpecificationError(
          .badDescription,
          "input.size is \(given), but the file takes \(width ?? given.width)×"
            + "\(height ?? given.height)")
      }
      if let given { return given }
      guard let width, let height else { return usual }
      guard (1...16384).contains(width), (1...16384).contains(height) else {
        throw SpecificationError(
          .badInput, "the file takes pictures of \(width)×\(height), more than 16384 each way")
      }
      return PixelSize(width: width, height: height)
    }
  }

  /// - Throws: `SpecificationError` where the file takes something else than one colour picture.
  func picture(described: DescriptionReader?) throws(SpecificationError) -> Picture {
    try described?.allow(["color", "size", "mean", "std", "scale", "layout", "fit", "constants"])
    let inputs = model.graph.inputs
    guard inputs.count == 1, let sizes = inputs[0].sizes, sizes.count == 4 else {
      let told = inputs.isEmpty ? "none" : inputs.map { "\($0)" }.joined(separator: "; ")
      let wayOut =
        inputs.count > 1 && model.externalFiles.isEmpty
        ? "; input.constants in the description gives inputs beside it numbers, as {scale: [1]}"
        : ""
      throw SpecificationError(
        .badInput, "its input must be one picture of four axes; it has \(told)\(wayOut)")
    }
    let named = try described?.choice("layout", OnnxDescription.Layout.self)
    let seen: OnnxDescription.Layout? = sizes[1] == 3 ? .nchw : sizes[3] == 3 ? .nhwc : nil
    guard let layout = named ?? seen else {
      throw SpecificationError(
        .badInput,
        "its input is no picture of three colours: \(inputs[0]); where its sizes do not "
          + "tell, input.layout in the description may")
    }
    let channels = sizes[layout == .nchw ? 1 : 3]
    guard channels == nil || channels == 3 else {
      throw SpecificationError(
        .badInput,
        "its input is no picture of three colours in the order \(layout.rawValue): "
          + "\(inputs[0])")
    }
    let (row, column) = layout == .nchw ? (2, 3) : (1, 2)
    return Picture(
      layout: layout, width: sizes[column], height: sizes[row], usual: model.notedPictureSize)
  }

  /// What becomes of a pixel.
  ///
  /// - Throws: `SpecificationError` where neither the description nor the file tells.
  func scaling(described: DescriptionReader?) throws(SpecificationError) -> PixelScaling {
    let isGiven = ["color", "mean", "std", "scale"].contains { described?.has($0) == true }
    if let described, isGiven || !isUltralytics { return try described.scaling(usual: [0, 1]) }
    guard isUltralytics else {
      throw SpecificationError(
        .missingFile, "the file does not say how pixels become its input: color, mean, std, scale")
    }
    return PixelScaling(scale: SIMD3(repeating: 1 / 255), order: .rgb)
  }

  /// The order of axes of the map that is read, where its sizes tell: planes are as many as
  /// classes, one of depths.
  func layout(
    of output: String?, _ task: NetworkTask, _ classes: ClassList
  ) -> OnnxDescription.Layout? {
    let port = model.graph.outputs.first { $0.name == output }
    guard let sizes = port?.sizes, sizes.count == 4 else { return nil }
    let planes: [Int]
    switch task {
    case .segmentation: planes = [classes.count, classes.count + 1, 1]
    case .depth: planes = [1]
    case .detection: return nil
    }
    for count in planes where (sizes[1] == count) != (sizes[3] == count) {
      return sizes[1] == count ? .nchw : .nhwc
    }
    return nil
  }

  /// The outputs that are read: of maps the first, those after it are of auxiliary heads.
  func outputs(
    described: DescriptionReader?, of task: NetworkTask
  ) throws(SpecificationError) -> [String] {
    let named = try outputs(described: described)
    if case .detection = task { return named }
    return Array(named.prefix(1))
  }

  private func outputs(
    described: DescriptionReader?
  ) throws(SpecificationError) -> [String] {
    let there = model.graph.outputs.map(\.name)
    guard let named = described?.strings("names") else { return there }
    guard !named.isEmpty, Set(named).count == named.count else {
      throw SpecificationError(.badDescription, "output.names must be some outputs, each once")
    }
    for name in named where !there.contains(name) {
      throw SpecificationError(
        .badDescription,
        "output.names: there is no '\(name)'; there are \(there.joined(separator: ", "))")
    }
    return named
  }

  /// The classes that the description names, or the file's metadata; COCO's for detection without
  /// either.
  func classes(
    described: DescriptionReader?, of task: NetworkTask
  ) throws(SpecificationError) -> ClassList {
    switch task {
    case .depth: return ClassList(name: "none", names: [], void: nil)
    case .segmentation:
      if let described, described.has("classes") {
        let classes = try ClassList(described)
        guard classes.count > 1 || classes.void != nil else {
          throw described.complaint(
            "classes", "a single class tells nothing apart; name two, as [background, object]")
        }
        return classes
      }
    case .detection:
      if let described, described.has("classes") {
        return try ClassList(classesOf: described).with(void: nil)
      }
    }
    if let names = notedNames { return ClassList(name: "custom", names: names, void: nil) }
    guard case .detection = task else {
      throw SpecificationError(
        .badDescription, "output.classes must be given: the file does not name its classes")
    }
    return .coco
  }

  /// Ultralytics' `{0: 'person', 1: 'bicycle'}`, written by Python; nil where it is anything else.
  private var notedNames: [String]? {
    guard let text = model.metadata["names"], text.utf8.count < 1 << 16 else { return nil }
    let names = PythonNames(text).names
    return names.isEmpty || names.count > 255 ? nil : names
  }
}

/// Texts by number, as Python or JSON writes a dictionary or a list of them.
///
/// `{0: 'person', 2: "bus"}` in any order, `{"0": "person"}` or `['person']`; numbers that are left
/// out are called `class 1`. None where it is anything else.
struct PythonNames {
  let names: [String]

  /// Numbers beyond this are no classes.
  private static let most = 4096

  init(_ text: String) {
    var reader = PythonText(text)
    var found: [Int: String] = [:]
    var key: Int?
    while let token = reader.next() {
      switch token {
      case .text(let text) where reader.isBeforeColon: key = Int(text)
      case .text(let text):
        let place = key ?? found.count
        guard (0..<Self.most).contains(place) else {
          names = []
          return
        }
        found[place] = text
        key = nil
      case .number(let number): key = reader.isBeforeColon ? number : nil
      }
    }
    guard !reader.isBroken, let last = found.keys.max() else {
      names = []
      return
    }
    names = (0...last).map { found[$0] ?? "class \($0)" }
  }
}

/// Quoted texts and whole numbers of what Python or JSON prints, one after the other.
private struct PythonText {
  enum Token {
    case text(String)
    case number(Int)
  }

  private let letters: [Character]
  private var place = 0
  /// Whether a text has no end.
  private(set) var isBroken = false

  init(_ text: String) { letters = Array(text) }

  /// Whether a colon comes next, so that what was read last is a key.
  var isBeforeColon: Bool { letters[place...].first { !$0.isWhitespace } == ":" }

  mutating func next() -> Token? {
    while place < letters.count {
      let letter = letters[place]
      place += 1
      if letter == "'" || letter == "\"" { return text(until: letter) }
      if letter.isASCII && letter.isNumber {
        var digits = String(letter)
        while place < letters.count, letters[place].isASCII, letters[place].isNumber {
          digits.append(letters[place])
          place += 1
        }
        if let number = Int(digits) { return .number(number) }
      }
    }
    return nil
  }

  private mutating func text(until quote: Character) -> Token? {
    var text = ""
    while place < letters.count {
      let letter = letters[place]
      place += 1
      if letter == quote { return .text(text) }
      text.append(letter == "\\" ? escaped() : letter)
    }
    isBroken = true
    return nil
  }

  /// What follows a backslash.
  private mutating func escaped() -> Character {
    guard place < letters.count else { return "\\" }
    let letter = letters[place]
    place += 1
    let digits = ["x": 2, "u": 4, "U": 8][letter]
    if let digits, place + digits <= letters.count,
      let code = UInt32(String(letters[place..<place + digits]), radix: 16),
      let scalar = Unicode.Scalar(code)
    {
      place += digits
      return Character(scalar)
    }
    return ["n": "\n", "t": "\t", "r": "\r"][letter] ?? letter
  }
}
