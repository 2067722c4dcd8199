// SPDX-License-Identifier: Apache-2.0
#pragma once

struct ct_table;

#ifdef __cplusplus
extern "C"
#endif
/// The one thing this library exports; CTorch looks it up by name.
__attribute__((visibility("default"))) const struct ct_table *ct_backend_table(void);
