#include "CTorchBackend.h"
#include <ATen/ATen.h>
int ctb_probe(void) { return (int)at::zeros({2}).numel(); }
