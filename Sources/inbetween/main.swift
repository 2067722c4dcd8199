// SPDX-License-Identifier: Apache-2.0

import InbetweenTool

InbetweenCommand.runMain()
