// SPDX-License-Identifier: Apache-2.0
#include "CTorchBackend.h"
#include "backend.hpp"
#include "memory.hpp"

static const ct_table table = {
    CT_ABI_VERSION,
    sizeof(ct_table),
#define CT_FUNCTION(name, parameters, arguments) ct::backend::name,
#define CT_GETTER(result, name, parameters, arguments) ct::backend::name,
#include "../CTorch/functions/all.h"
#undef CT_FUNCTION
#undef CT_GETTER
};

const ct_table *ct_backend_table() {
  ct::keep_memory();
  return &table;
}
