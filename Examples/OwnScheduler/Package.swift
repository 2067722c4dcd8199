// swift-tools-version: 6.1
import PackageDescription

// A package of one's own that depends on Inbetween: what a user's looks like, but for the path.
let package = Package(
  name: "OwnScheduler",
  dependencies: [.package(name: "inbetween", path: "../..")],
  targets: [
    .executableTarget(
      name: "OwnScheduler",
      dependencies: [
        .product(name: "Inbetween", package: "inbetween"),
        // Built and laid beside the program, where the tensors look for it.
        .product(name: "InbetweenTorch", package: "inbetween"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
