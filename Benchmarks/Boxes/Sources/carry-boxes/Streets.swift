// SPDX-License-Identifier: Apache-2.0
// Rendered streets as pictures, and their boxes as a COCO-style file, for programs of others.
import Foundation
import Synthesis
import Video

/// Writes `FOLDER/SEED/img/NUMBER.png` and `FOLDER/SEED/truth.json` of each street.
func writeStreets(to root: String, count: Int, seeds: [UInt64]) throws {
  for seed in seeds {
    let folder = "\(root)/\(seed)"
    try FileManager.default.createDirectory(
      atPath: folder + "/img", withIntermediateDirectories: true)
    let clip = StreetClip(seed: seed, count: count)
    var (images, annotations): ([[String: Any]], [[String: Any]]) = ([], [])
    for index in 0..<count {
      let image = clip.frame(at: index).pixels
      let name = String(format: "%06d.png", index)
      try image.writePNG(to: "\(folder)/img/\(name)")
      images.append([
        "id": index, "file_name": name, "frame_index": index, "video_id": 1,
        "width": image.width, "height": image.height,
      ])
      for truth in clip.boxes(at: index) {
        let box = truth.box
        annotations.append([
          "id": annotations.count + 1, "image_id": index, "video_id": 1,
          "category_id": truth.category + 1, "track_id": truth.identity ?? 0,
          "iscrowd": truth.isIgnored ? 1 : 0, "area": box.area,
          "bbox": [box.x, box.y, box.width, box.height],
        ])
      }
    }
    let whole: [String: Any] = [
      "images": images, "annotations": annotations,
      "categories": clip.objectClasses.names.enumerated().map {
        ["id": $0.offset + 1, "name": $0.element] as [String: Any]
      },
      "videos": [["id": 1, "name": "street\(seed)"]],
    ]
    try JSONSerialization.data(withJSONObject: whole, options: [.sortedKeys])
      .write(to: URL(filePath: folder + "/truth.json"))
  }
}
