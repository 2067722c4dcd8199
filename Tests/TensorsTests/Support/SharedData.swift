// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The folder with real networks and clips; nil where it is not there.
let sharedData: URL? = {
  let beside = URL(filePath: #filePath).appending(path: "../../../../../shared").standardized
  let named = ProcessInfo.processInfo.environment["INBETWEEN_SHARED"].map { URL(filePath: $0) }
  let folder = named ?? beside
  return FileManager.default.fileExists(atPath: folder.appending(path: "data").path) ? folder : nil
}()
