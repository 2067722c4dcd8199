// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that nobody who builds Inbetween builds this.
let package = Package(
  name: "train-steps",
  dependencies: [.package(name: "inbetween", path: "../..")],
  targets: [
    .executableTarget(
      name: "train-steps", dependencies: [.product(name: "Inbetween", package: "inbetween")])
  ],
  swiftLanguageModes: [.v6])
