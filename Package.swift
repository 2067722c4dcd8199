// swift-tools-version: 6.1
import PackageDescription

// C → values → parts → pipeline → recipes → tool; parts never see parts, except that schedulers
// and propagators know the motion field and what is trained of them names its backbone. Docs/Architecture.md says why each target is one.
let package = Package(
  name: "inbetween",
  products: [
    .library(name: "Inbetween", targets: ["Inbetween"]),
    .library(name: "InbetweenConformance", targets: ["ConformanceKit"]),
    // LibTorch behind a C ABI, opened on first use so that nothing else waits for it to load.
    .library(name: "InbetweenTorch", type: .dynamic, targets: ["CTorchBackend"]),
    .executable(name: "inbetween", targets: ["inbetween"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    // One C ABI per library, each imported by exactly one Swift target.
    .target(name: "CKernels"),
    .target(name: "CTorch", linkerSettings: [.linkedLibrary("dl")]),
    .target(
      name: "CTorchBackend", dependencies: ["CKernels", "CTorch"],
      linkerSettings: [.linkedLibrary("torch_cpu"), .linkedLibrary("c10")]),
    .target(
      name: "COpenCV",
      exclude: ["system"],
      cxxSettings: [.headerSearchPath("system")],
      linkerSettings: ["opencv_core", "opencv_imgproc", "opencv_video"].map { .linkedLibrary($0) }),
    .target(
      name: "CFFmpeg",
      linkerSettings: ["avformat", "avcodec", "avutil", "swscale", "jpeg"].map {
        .linkedLibrary($0)
      }),

    // Values.
    .target(name: "Tensors", dependencies: ["CTorch"]),
    .target(name: "Video", dependencies: ["Tensors", "COpenCV", "CFFmpeg"]),
    .target(name: "Specification", dependencies: [.product(name: "Yams", package: "Yams")]),
    .target(name: "Layers", dependencies: ["Specification", "Tensors"]),

    // Parts.
    .target(name: "Flow", dependencies: ["Specification", "CKernels", "Layers", "Tensors", "Video"]),
    .target(name: "Backbone", dependencies: ["Specification", "Layers", "Tensors", "Video"]),
    .target(
      name: "Scheduler", dependencies: ["Flow", "Specification", "Layers", "Tensors", "Video"]),
    .target(
      name: "Propagation", dependencies: ["Specification", "Backbone", "Flow", "Layers", "Tensors", "Video"]),

    // Composition, data, measurement.
    .target(
      name: "Pipeline",
      dependencies: ["Backbone", "Flow", "Propagation", "Scheduler", "Tensors", "Video"]),
    .target(name: "Datasets", dependencies: ["Flow", "Tensors", "Video"]),
    .target(name: "Synthesis", dependencies: ["Datasets", "Flow", "Tensors", "Video"]),
    .target(
      name: "Training",
      dependencies: [
        "Backbone", "Datasets", "Evaluation", "Flow", "Layers", "Propagation", "Scheduler",
        "Specification", "Synthesis", "Tensors", "Video",
      ]),
    .target(
      name: "Evaluation",
      dependencies: ["Datasets", "Flow", "Pipeline", "Scheduler", "Tensors", "Video"]),
    .target(
      name: "Recipes",
      dependencies: [
        "Specification", "Synthesis", "Backbone", "Datasets", "Flow", "Layers", "Pipeline", "Propagation", "Scheduler", "Tensors",
        "Video",
      ]),
    .target(
      name: "ConformanceKit",
      dependencies: ["Backbone", "Flow", "Propagation", "Scheduler", "Tensors", "Video"]),

    // What users import, and the tool.
    .target(
      name: "Inbetween",
      dependencies: [
        "Specification", "Synthesis", "Backbone", "Datasets", "Evaluation", "Flow", "Layers", "Pipeline", "Propagation",
        "Recipes", "Scheduler", "Tensors", "Training", "Video",
      ]),
    .target(
      name: "InbetweenTool",
      dependencies: [
        "Specification", "Synthesis", "Backbone", "Datasets", "Evaluation", "Flow", "Layers", "Pipeline", "Propagation",
        "Recipes", "Scheduler", "Tensors", "Training", "Video",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(name: "inbetween", dependencies: ["InbetweenTool"]),

    // What several test targets need.
    .target(
      name: "TestSupport", dependencies: ["Datasets", "Video"], path: "Tests/TestSupport"),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "ConformanceKit"]),
    .testTarget(name: "VideoTests", dependencies: ["Video", "Tensors"]),
    .testTarget(
      name: "FlowTests", dependencies: ["Specification", "Flow", "Layers", "Video", "Tensors", "ConformanceKit"]),
    .testTarget(name: "SpecificationTests", dependencies: ["Specification"]),
    .testTarget(name: "LayersTests", dependencies: ["Layers", "Tensors"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Synthesis",
        "Specification", "Propagation", "Training", "Backbone", "Datasets", "Flow", "Layers", "Scheduler",
        "Tensors", "Video",
      ]),
    .testTarget(
      name: "DatasetsTests", dependencies: ["Datasets", "Flow", "Synthesis", "Video", "Tensors"]),
    .testTarget(
      name: "SynthesisTests", dependencies: ["Synthesis", "Datasets", "Flow", "Video", "Tensors"]),
    .testTarget(
      name: "BackboneTests",
      dependencies: ["Specification", "Backbone", "ConformanceKit", "Layers", "Tensors", "Video"]),
    .testTarget(
      name: "RecipesTests",
      dependencies: [
        "Synthesis",
        "Specification", "Recipes", "Backbone", "Datasets", "Evaluation", "Flow", "Layers", "Pipeline",
        "Propagation",
        "Scheduler", "Tensors", "Video",
      ]),
    .testTarget(
      name: "SchedulerTests",
      dependencies: [
        "Specification", "Scheduler", "Backbone", "ConformanceKit", "Flow", "Layers", "Tensors", "Video",
      ]),
    .testTarget(
      name: "PropagationTests",
      dependencies: [
        "Specification", "Propagation", "Backbone", "Layers", "Flow", "Tensors", "Video", "ConformanceKit",
      ]),
    .testTarget(
      name: "PipelineTests",
      dependencies: [
        "Pipeline", "Backbone", "Flow", "Propagation", "Scheduler", "Tensors", "Video",
        "ConformanceKit",
      ]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "Synthesis",
        "Evaluation", "Backbone", "Datasets", "Flow", "Pipeline", "Propagation", "Recipes",
        "Scheduler",
        "Video",
      ]),
    .testTarget(
      name: "InbetweenToolTests",
      dependencies: [
        "inbetween", "Backbone", "Flow", "Layers", "Pipeline", "Propagation", "Recipes",
        "Scheduler", "Tensors", "Video",
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11,
  cxxLanguageStandard: .cxx17
)

// Swift targets read and write one style; with INBETWEEN_STRICT set, as in Scripts/check, a warning
// is an error. Unsafe flags would bar the package from being depended on, so they stay off otherwise.
let isStrict = Context.environment["INBETWEEN_STRICT"] != nil
for target in package.targets {
  if target.type == .test { target.dependencies.append("TestSupport") }
  if target.name.hasPrefix("C") && target.name != "ConformanceKit" {
    if isStrict {
      target.cSettings = (target.cSettings ?? []) + [.unsafeFlags(["-Wall", "-Werror"])]
      target.cxxSettings = (target.cxxSettings ?? []) + [.unsafeFlags(["-Wall", "-Werror"])]
    }
    continue
  }
  target.swiftSettings = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ]
  if isStrict { target.swiftSettings?.append(.unsafeFlags(["-warnings-as-errors"])) }
}
