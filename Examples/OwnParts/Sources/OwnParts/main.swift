// SPDX-License-Identifier: Apache-2.0

// The `inbetween` commands with a part of each kind added, all of them named as ours are.

import Inbetween
import InbetweenTool
import InbetweenTraining

var registries = Registries.standard
registries.registerWideningGaps()
registries.registerBrightnessChange()
registries.registerTrend()
registries.registerFlowNudge()
registries.registerPanFlow()
registries.registerNearestColour()
registries.registerPanningTiles()
registries.registerClassShare()
registries.registerShareError()
registries.recipes.add(.ownParts)
var trainings = TrainingKinds.standard
trainings.registerClassColours()
InbetweenCommand.runMain(with: registries, trainings: trainings)
