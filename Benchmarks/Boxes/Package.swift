// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that nobody who builds Inbetween builds this.
let package = Package(
  name: "carry-boxes",
  dependencies: [.package(name: "inbetween", path: "../..")],
  targets: [
    .executableTarget(
      name: "carry-boxes", dependencies: [.product(name: "Inbetween", package: "inbetween")])
  ],
  swiftLanguageModes: [.v6])
