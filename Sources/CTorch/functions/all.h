// SPDX-License-Identifier: Apache-2.0
// CT_FUNCTION(name, parameters, arguments): can fail; the last parameter is `ct_error *error`.
// CT_GETTER(result, name, parameters, arguments): cannot fail.
#include "runtime.h"
#include "tensor.h"
#include "arithmetic.h"
#include "shape.h"
#include "network.h"
#include "gradient.h"
#include "training.h"
#include "module.h"
#include "kernels.h"
#include "losses.h"
