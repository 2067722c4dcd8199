// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that nobody who builds Inbetween builds this.
let package = Package(
  name: "compare-flow",
  dependencies: [.package(name: "inbetween", path: "../..")],
  targets: [
    .executableTarget(
      name: "compare-flow", dependencies: [.product(name: "Inbetween", package: "inbetween")])
  ],
  swiftLanguageModes: [.v6])
