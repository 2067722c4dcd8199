// SPDX-License-Identifier: Apache-2.0

// What `import Inbetween` brings: all that pipelines are composed of, run on and measured by.
@_exported public import Backbone
@_exported public import Datasets
@_exported public import Evaluation
@_exported public import Flow
@_exported public import Frames
@_exported public import Layers
@_exported public import Pipeline
@_exported public import Propagation
@_exported public import Recipes
@_exported public import Scheduler
@_exported public import Specification
@_exported public import Synthesis
@_exported public import Tensors
@_exported public import Tracking
@_exported public import Video
