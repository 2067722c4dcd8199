// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Video

/// Videos with boxes in one JSON file, as COCO-style data sets have them (TAO, BDD100K, YouTube-VIS
/// converted to images): `images` with `video_id` and `frame_index`, `annotations` with a
/// `track_id` or an `instance_id`, masks as run lengths or as polygons, and key points.
public struct COCOVideos: Sendable {
  /// The videos' names; one named after the file where the file knows no videos.
  public let names: [String]
  /// The categories in the order of the file.
  public let classes: ClassList
  /// The ids of the categories, by position, for results.
  public let categoryIDs: [Int]
  private let videos: [[Entry]]
  private let root: String
  private let path: String

  private struct Entry: Sendable {
    let id: Int, file: String
    var boxes: [GroundTruthBox] = []
  }

  /// Files beyond this are refused.
  private static let mostBytes = 1 << 30

  /// Reads an annotation file; file names in it are relative to the folder `images`.
  ///
  /// - Throws: `DatasetError` in one sentence where it is no such file, or names a path that leads
  ///   out of the folder.
  public init(annotations path: String, images root: String) throws(DatasetError) {
    let bytes: [UInt8]
    do throws(VideoError) { bytes = try readBytes(of: path, limit: Self.mostBytes) } catch {
      throw DatasetError(error.code == .missingFile ? .missing : .malformed, "\(error)")
    }
    let file: File
    do { file = try JSONDecoder().decode(File.self, from: Data(bytes)) } catch {
      throw DatasetError(
        .malformed,
        "\(path) is no COCO annotation file: it needs images, annotations and categories")
    }
    (self.path, self.root) = (path, DataFolder(root).path)
    let categories = try Self.positions(of: file.categories.map(\.id), "category", in: path)
    guard (1...65_535).contains(categories.count) else {
      throw DatasetError(.malformed, "\(path) has \(categories.count) categories")
    }
    categoryIDs = file.categories.map(\.id)
    classes = ClassList.ofAtMost255(
      DataFolder.stem(of: Self.lastName(path)), file.categories.map(\.name))
    (names, videos) = try Self.videos(of: file, categories: categories, path: path)
  }

  /// The frames of one video in their order, with their boxes.
  ///
  /// - Precondition: there is a video at this position.
  public func clip(at position: Int) -> BoxClip {
    let entries = videos[position]
    return BoxClip(
      name: "coco/\(names[position])", classes: classes,
      frames: StoredFrames(
        items: entries.map {
          StoredFrames.Item(
            name: DataFolder.stem(of: Self.lastName($0.file)), picture: "\(root)/\($0.file)",
            labels: nil)
        }), truth: .boxes(entries.map(\.boxes)), sources: [path])
  }

  /// The ids of a video's images, by position, for results.
  public func imageIDs(at position: Int) -> [Int] { videos[position].map(\.id) }

  private static func lastName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private static func positions(
    of ids: [Int], _ kind: String, in path: String
  ) throws(DatasetError) -> [Int: Int] {
    let positions = Dictionary(zip(ids, 0...)) { first, _ in first }
    guard positions.count == ids.count else {
      throw DatasetError(.malformed, "\(path) has two of one \(kind) id")
    }
    return positions
  }

  private static func videos(
    of file: File, categories: [Int: Int], path: String
  ) throws(DatasetError) -> (names: [String], videos: [[Entry]]) {
    let images = try positions(of: file.images.map(\.id), "image", in: path)
    var boxes = [[GroundTruthBox]](repeating: [], count: file.images.count)
    for annotation in file.annotations {
      guard let image = images[annotation.image], let category = categories[annotation.category],
        annotation.box.count == 4, annotation.box.allSatisfy({ $0.isFinite && abs($0) < 1e9 })
      else {
        throw DatasetError(
          .malformed,
          "\(path): annotation \(annotation.id) has an unknown image or category, or no box")
      }
      guard annotation.box[2] > 0, annotation.box[3] > 0 else { continue }
      boxes[image].append(
        GroundTruthBox(
          box: BoundingBox(
            x: annotation.box[0], y: annotation.box[1], width: annotation.box[2],
            height: annotation.box[3]),
          category: category, identity: annotation.track ?? annotation.instance,
          isIgnored: annotation.isCrowd,
          mask: try annotation.shape?.mask(in: file.images[image].size, of: annotation.id, path),
          points: annotation.points, area: annotation.area))
    }
    let names = Dictionary(
      (file.videos ?? []).map { ($0.id, $0.name ?? "\($0.id)") }
    ) { first, _ in first }
    var order: [Int] = []
    var frames: [Int: [(index: Int, entry: Entry)]] = [:]
    for (position, image) in file.images.enumerated() {
      let parts = image.file.split(separator: "/", omittingEmptySubsequences: false)
      guard !image.file.isEmpty, !image.file.hasPrefix("/"), !parts.contains("..") else {
        throw DatasetError(
          .malformed, "\(path): image \(image.id) leads out of its folder: '\(image.file)'")
      }
      let video = image.video ?? 0
      if frames[video] == nil { order.append(video) }
      frames[video, default: []].append(
        (
          image.index ?? position,
          Entry(id: image.id, file: image.file, boxes: boxes[position])
        ))
    }
    let fallback = DataFolder.stem(of: lastName(path))
    return (
      order.map { names[$0] ?? (file.videos == nil ? fallback : "\($0)") },
      order.map { video in
        (frames[video] ?? []).enumerated()
          .sorted { ($0.element.index, $0.offset) < ($1.element.index, $1.offset) }
          .map(\.element.entry)
      }
    )
  }
}

/// The parts of the file that are read.
private struct File: Decodable {
  struct Video: Decodable {
    let id: Int
    let name: String?
  }

  struct Picture: Decodable {
    let id: Int, file: String, video: Int?, index: Int?
    /// Nil where it is not told, or none that a picture may have.
    let size: PixelSize?

    enum CodingKeys: String, CodingKey {
      case id, width, height
      case file = "file_name"
      case video = "video_id"
      case index = "frame_index"
      case frame = "frame_id"
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      id = try values.decode(Int.self, forKey: .id)
      file = try values.decode(String.self, forKey: .file)
      video = try values.decodeIfPresent(Int.self, forKey: .video)
      index =
        try values.decodeIfPresent(Int.self, forKey: .index)
        ?? values.decodeIfPresent(Int.self, forKey: .frame)
      let width = try? values.decodeIfPresent(Int.self, forKey: .width)
      let height = try? values.decodeIfPresent(Int.self, forKey: .height)
      let sides = 1...65_536
      if let width, let height, sides.contains(width), sides.contains(height),
        width * height <= PixelLimits.standard.pixels
      {
        size = PixelSize(width: width, height: height)
      } else {
        size = nil
      }
    }
  }

  struct Annotation: Decodable {
    let id: Int, image: Int, category: Int, box: [Double], track: Int?, instance: Int?
    let crowd: Int?
    let shape: Shape?
    let points: [KeyPoint], area: Double?

    var isCrowd: Bool { (crowd ?? 0) != 0 }

    enum CodingKeys: String, CodingKey {
      case id
      case image = "image_id"
      case category = "category_id"
      case box = "bbox"
      case track = "track_id"
      case instance = "instance_id"
      case crowd = "iscrowd"
      case shape = "segmentation"
      case points = "keypoints"
      case area
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      id = try values.decode(Int.self, forKey: .id)
      image = try values.decode(Int.self, forKey: .image)
      category = try values.decode(Int.self, forKey: .category)
      box = try values.decode([Double].self, forKey: .box)
      track = try values.decodeIfPresent(Int.self, forKey: .track)
      instance = try values.decodeIfPresent(Int.self, forKey: .instance)
      crowd = try values.decodeIfPresent(Int.self, forKey: .crowd)
      shape = try? values.decodeIfPresent(Shape.self, forKey: .shape)
      points = Self.points(try? values.decodeIfPresent([Double].self, forKey: .points))
      area = (try? values.decodeIfPresent(Double.self, forKey: .area)).flatMap {
        $0.isFinite && $0 >= 0 ? $0 : nil
      }
    }

    /// Points of x, y and visibility; none where the numbers are no such list.
    private static func points(_ numbers: [Double]?) -> [KeyPoint] {
      guard let numbers, numbers.count.isMultiple(of: 3), numbers.allSatisfy(\.isFinite) else {
        return []
      }
      // Marked but hidden: rather unseen, so that it is written as it was read.
      return stride(from: 0, to: numbers.count, by: 3).map { place in
        let seen = numbers[place + 2]
        return KeyPoint(
          x: numbers[place], y: numbers[place + 1],
          confidence: seen <= 0 ? 0 : seen < 2 ? 0.25 : 1)
      }
    }
  }

  /// A mask as it is written down.
  enum Shape: Decodable {
    case runs(ObjectMask)
    case polygons([[Double]])

    init(from decoder: any Decoder) throws {
      if let polygons = try? [[Double]](from: decoder) {
        self = .polygons(polygons)
      } else {
        self = .runs(try ObjectMask(from: decoder))
      }
    }

    func mask(
      in size: PixelSize?, of annotation: Int, _ path: String
    ) throws(DatasetError) -> ObjectMask? {
      switch self {
      case .runs(let mask): return mask
      case .polygons(let polygons):
        // Without the picture's size there is nothing to draw them in.
        guard let size, !polygons.isEmpty else { return nil }
        guard let mask = ObjectMask(polygons: polygons, size: size) else {
          throw DatasetError(
            .malformed,
            "\(path): annotation \(annotation) has polygons of odd or endless coordinates")
        }
        return mask
      }
    }
  }

  struct Category: Decodable {
    let id: Int, name: String
  }

  let videos: [Video]?
  let images: [Picture]
  let annotations: [Annotation]
  let categories: [Category]
}

extension ClassList {
  /// A list of any length: ids beyond one byte have no colour of their own, so that only the first
  /// 255 names are kept.
  fileprivate static func ofAtMost255(_ name: String, _ names: [String]) -> ClassList {
    ClassList(name: name, names: Array(names.prefix(254)), void: nil)
  }
}
