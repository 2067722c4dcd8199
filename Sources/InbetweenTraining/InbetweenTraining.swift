// SPDX-License-Identifier: Apache-2.0

// What `import InbetweenTraining` brings: Inbetween, training, and experiments from files.
@_exported public import Experiments
@_exported public import Inbetween
@_exported public import Training
