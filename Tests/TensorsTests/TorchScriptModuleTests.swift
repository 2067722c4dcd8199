// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import Testing

private let espnet = sharedData?.appending(
  path: "data/models/espnet_p2q8_camvid_360x480.torchscript.pt")

@Test(.enabled(if: espnet != nil, "shared data is not there"))
func aNetworkOthersMadeRuns() throws {
  let module = try TorchScriptModule(contentsOf: #require(espnet).path)
  #expect(try module.methods() == ["forward"])
  let input = try Tensor.normal([1, 3, 360, 480], seed: 1)
  let outputs = try module(input)
  #expect(outputs.map(\.shape) == [[1, 12, 360, 480]])
}
