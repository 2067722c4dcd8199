// swift-tools-version: 6.1
import PackageDescription

// C → values → parts → pipeline → recipes → tool; parts never see parts, except that schedulers
// and propagators know the motion field. Docs/Architecture.md says why each target is one.
let package = Package(
  name: "inbetween",
  products: [
    .library(name: "Inbetween", targets: ["Inbetween"]),
    // What `train` and experiments need beside it; pipelines build without.
    .library(name: "InbetweenTraining", targets: ["InbetweenTraining"]),
    .library(name: "InbetweenConformance", targets: ["ConformanceKit"]),
    // The commands, for a tool with parts of one's own: Docs/Guides/Own-parts.md.
    .library(name: "InbetweenTool", targets: ["InbetweenTool"]),
    // LibTorch behind a C ABI, opened on first use so that nothing else waits for it to load.
    .library(name: "InbetweenTorch", type: .dynamic, targets: ["CTorchBackend"]),
    .executable(name: "inbetween", targets: ["inbetween"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    // One C ABI per library, each imported by exactly one Swift target.
    .target(name: "CKernels"),
    .target(name: "CTorch", linkerSettings: [.linkedLibrary("dl"), .linkedLibrary("z")]),
    .target(
      name: "CTorchBackend", dependencies: ["CKernels", "CTorch"],
      // A unit reads LibTorch's headers once for all the files that it includes.
      sources: ["units"],
      // As LibTorch is built: else some types of its headers have members that they do not have there.
      cxxSettings: [.define("NDEBUG")],
      linkerSettings: [.linkedLibrary("torch_cpu"), .linkedLibrary("c10")]),
    .target(
      name: "COpenCV",
      exclude: ["system"],
      cxxSettings: [.headerSearchPath("system")],
      linkerSettings: ["opencv_core", "opencv_imgproc", "opencv_video"].map { .linkedLibrary($0) }),
    .target(
      name: "CFFmpeg",
      linkerSettings: ["avformat", "avcodec", "avutil", "swscale", "jpeg", "z"].map {
        .linkedLibrary($0)
      }),

    .target(name: "CEngines", linkerSettings: [.linkedLibrary("dl")]),

    // Values.
    .target(name: "Outputs"),
    .target(name: "Specification", dependencies: [.product(name: "Yams", package: "Yams")]),
    .target(name: "Tensors", dependencies: ["CTorch", "Outputs"]),
    .target(
      name: "Video", dependencies: ["CKernels", "Outputs", "Tensors", "COpenCV", "CFFmpeg"]),
    .target(name: "Layers", dependencies: ["Specification", "Tensors"]),
    .target(name: "Engines", dependencies: ["CEngines", "Outputs", "Tensors", "Video"]),

    // Parts.
    .target(
      name: "Flow",
      dependencies: ["CKernels", "Layers", "Outputs", "Specification", "Tensors", "Video"]),
    .target(name: "Frames", dependencies: ["Flow", "Tensors", "Video"]),
    .target(
      name: "Backbone", dependencies: ["Engines", "Layers", "Specification", "Tensors", "Video"]),
    .target(
      name: "Scheduler",
      dependencies: ["Flow", "Frames", "Layers", "Specification", "Tensors", "Video"]),
    .target(
      name: "Propagation",
      dependencies: [
        "Backbone", "Engines", "Flow", "Frames", "Layers", "Specification", "Tensors", "Video",
      ]),
    .target(name: "Tracking", dependencies: ["Flow", "Frames", "Propagation", "Video"]),

    // Composition, data, measurement.
    .target(
      name: "Pipeline",
      dependencies: [
        "Backbone", "Flow", "Frames", "Propagation", "Scheduler", "Tensors", "Video",
      ]),
    .target(name: "Datasets", dependencies: ["Flow", "Outputs", "Tensors", "Video"]),
    .target(name: "Synthesis", dependencies: ["Datasets", "Flow", "Tensors", "Video"]),
    .target(
      name: "Training",
      dependencies: [
        "Backbone", "Datasets", "Evaluation", "Flow", "Frames", "Layers", "Outputs", "Propagation",
        "Scheduler", "Specification", "Synthesis", "Tensors", "Video",
      ]),
    .target(
      name: "Evaluation",
      dependencies: [
        "Backbone", "Datasets", "Flow", "Frames", "Pipeline", "Scheduler", "Tensors", "Tracking",
        "Video",
      ]),
    .target(
      name: "Recipes",
      dependencies: [
        "Backbone", "Datasets", "Engines", "Evaluation", "Flow", "Frames", "Layers", "Pipeline",
        "Propagation", "Scheduler", "Specification", "Synthesis", "Tensors", "Tracking", "Video",
      ]),
    .target(
      name: "ConformanceKit",
      dependencies: [
        "Backbone", "Datasets", "Flow", "Frames", "Layers", "Propagation", "Scheduler", "Tensors",
        "Training", "Video",
      ]),

    .target(
      name: "Experiments",
      dependencies: [
        "Backbone", "Datasets", "Evaluation", "Flow", "Frames", "Layers", "Outputs", "Pipeline",
        "Propagation", "Recipes", "Scheduler", "Specification", "Synthesis", "Tensors", "Training",
        "Video",
      ]),

    .target(
      name: "Reports",
      dependencies: [
        "Datasets", "Evaluation", "Experiments", "Outputs", "Pipeline", "Recipes", "Specification",
        "Video",
      ]),

    .target(
      name: "ResultsIndex",
      dependencies: [
        "Evaluation", "Experiments", "Outputs", "Recipes", "Specification",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ]),

    // What users import, and the tool.
    .target(
      name: "Inbetween",
      dependencies: [
        "Backbone", "Datasets", "Engines", "Evaluation", "Flow", "Frames", "Layers", "Pipeline",
        "Propagation", "Recipes", "Scheduler", "Specification", "Synthesis", "Tensors", "Tracking",
        "Video",
      ]),
    .target(
      name: "InbetweenTraining", dependencies: ["Experiments", "Inbetween", "Training"]),
    .target(
      name: "InbetweenTool",
      dependencies: [
        "Backbone", "Datasets", "Engines", "Evaluation", "Experiments", "Flow", "Frames", "Layers",
        "Outputs",
        "Pipeline", "Propagation", "Recipes", "Reports", "ResultsIndex", "Scheduler",
        "Specification", "Synthesis", "Tensors", "Training", "Video",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(name: "inbetween", dependencies: ["InbetweenTool"]),

    // What several test targets need.
    .target(
      name: "TestSupport", dependencies: ["Datasets", "Video"], path: "Tests/TestSupport"),
    .testTarget(name: "OutputsTests", dependencies: ["Outputs", "Tensors", "Video"]),
    .testTarget(name: "SpecificationTests", dependencies: ["Specification"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "ConformanceKit"]),
    .testTarget(name: "VideoTests", dependencies: ["Video", "Tensors"]),
    .testTarget(
      name: "FlowTests",
      dependencies: ["Flow", "Layers", "Specification", "Video", "Tensors", "ConformanceKit"]),
    .testTarget(name: "LayersTests", dependencies: ["Layers", "Tensors"]),
    .testTarget(
      name: "EnginesTests",
      dependencies: [
        "Backbone", "ConformanceKit", "Engines", "Flow", "Frames", "Layers", "Propagation",
        "Recipes", "Specification", "Tensors", "Video",
      ]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "Backbone", "ConformanceKit", "Datasets", "Evaluation", "Flow", "Frames",
        "Layers",
        "Propagation", "Scheduler", "Specification", "Synthesis", "Tensors", "Video",
      ]),
    .testTarget(
      name: "TrackingTests", dependencies: ["Flow", "Frames", "Propagation", "Tracking", "Video"]),
    .testTarget(
      name: "DatasetsTests",
      dependencies: ["Datasets", "ConformanceKit", "Flow", "Synthesis", "Video", "Tensors"]),
    .testTarget(
      name: "SynthesisTests",
      dependencies: ["Synthesis", "ConformanceKit", "Datasets", "Flow", "Video", "Tensors"]),
    .testTarget(
      name: "BackboneTests",
      dependencies: [
        "Backbone", "ConformanceKit", "Layers", "Specification", "Tensors", "Video",
      ]),
    .testTarget(
      name: "RecipesTests",
      dependencies: [
        "Recipes", "Backbone", "Datasets", "Evaluation", "Flow", "Frames", "Layers", "Pipeline",
        "Propagation", "Scheduler", "Specification", "Synthesis", "Tensors", "Training", "Video",
      ]),
    .testTarget(
      name: "SchedulerTests",
      dependencies: [
        "Scheduler", "Backbone", "ConformanceKit", "Flow", "Frames", "Layers", "Specification",
        "Synthesis", "Tensors", "Video",
      ]),
    .testTarget(
      name: "PropagationTests",
      dependencies: [
        "Propagation", "Backbone", "ConformanceKit", "Flow", "Frames", "Layers", "Specification",
        "Tensors", "Video",
      ]),
    .testTarget(
      name: "PipelineTests",
      dependencies: [
        "Pipeline", "Backbone", "ConformanceKit", "Flow", "Frames", "Propagation", "Scheduler",
        "Tensors", "Video",
      ]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "Evaluation", "Backbone", "Datasets", "Flow", "Frames", "Pipeline", "Propagation",
        "Recipes", "Scheduler", "Specification", "Synthesis", "Video",
      ]),
    .testTarget(
      name: "ExperimentsTests",
      dependencies: [
        "Experiments", "Datasets", "Evaluation", "Layers", "Pipeline", "Recipes", "Specification",
        "Tensors", "Training",
      ]),
    .testTarget(
      name: "ReportsTests",
      dependencies: [
        "Reports", "Evaluation", "Experiments", "Recipes", "Specification",
      ]),
    .testTarget(
      name: "InbetweenToolTests",
      dependencies: [
        "inbetween", "faulty-inbetween", "Backbone", "Flow", "Frames", "Layers", "Pipeline",
        "Propagation", "Recipes", "Scheduler", "Specification", "Synthesis", "Tensors", "Video",
      ]),
    // The tool, in which a test makes something fail.
    .executableTarget(
      name: "faulty-inbetween", dependencies: ["InbetweenTool", "Outputs"],
      path: "Tests/FaultyInbetween"),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11,
  // Debian's LibTorch is written in C++17; a later one, of `Scripts/install-engines torch`, in C++20.
  cxxLanguageStandard: Context.environment["INBETWEEN_CXX20"] == nil ? .cxx17 : .cxx20
)

// Swift targets read and write one style; with INBETWEEN_STRICT set, as in Scripts/check, a warning
// is an error. Unsafe flags would bar the package from being depended on: they stay off otherwise.
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
