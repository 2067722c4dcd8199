// swift-tools-version: 6.1
import PackageDescription

// A tool of one's own: the `inbetween` commands, with a part of each kind added.
let package = Package(
  name: "OwnParts",
  dependencies: [.package(name: "inbetween", path: "../..")],
  targets: [
    .executableTarget(
      name: "OwnParts",
      dependencies: [
        .product(name: "Inbetween", package: "inbetween"),
        .product(name: "InbetweenTool", package: "inbetween"),
        .product(name: "InbetweenTraining", package: "inbetween"),
        // Built and laid beside the program, where the tensors look for it.
        .product(name: "InbetweenTorch", package: "inbetween"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
