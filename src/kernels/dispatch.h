// What dispatch.cc decides, open to its test.
#pragma once

#include "kernels/kernels.h"

namespace litenat::kernels {

/// The best table of this CPU where `forced` is null or empty, else the one of that name. kInvalidArgument: no such
/// name; kUnsupported: not in this build, or this CPU lacks a feature.
Result<const Kernels*> choose_kernels(const char* forced);

}  // namespace litenat::kernels
