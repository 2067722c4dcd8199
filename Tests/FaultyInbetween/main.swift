// SPDX-License-Identifier: Apache-2.0

// The tool, in which one operation fails: FAULT=decode:3 is the third frame that is decoded,
// FAULT=writing:1 the first step by which any file is written.

import Foundation
import InbetweenTool
import Outputs

let words = (ProcessInfo.processInfo.environment["FAULT"] ?? "").split(separator: ":")
if words.count == 2, let turn = Int(words[1]) {
  let step = Faults.Step(rawValue: String(words[0]))
  Faults(failing: turn, of: step.map { [$0] } ?? Faults.Step.ofWriting).holdForTheProcess()
}
InbetweenCommand.runMain()
