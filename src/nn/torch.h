// The one way our code includes libtorch: the C++ API's modules, optimiser-free. It is precompiled for the
// targets of nn and train; nothing outside them includes it.
#pragma once

#include <ATen/autocast_mode.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/any.h>
#include <torch/types.h>
