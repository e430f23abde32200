// The one precompiled header of this room: torch/torch.h costs 10 s a file without it.
#pragma once

#include <torch/torch.h>
