// Where training runs: choosing the device, mixed precision, the random generators.
#pragma once

#include <string>

#include "nn/torch.h"
#include "train/train_config.h"

namespace litenat::train {

/// Loads libtorch_cuda.so from beside libtorch_cpu.so, once. Must run before anything asks libtorch about CUDA. Empty
/// when it is loaded, else why it cannot be.
const std::string& load_cuda();

/// "auto" (a GPU where one works, else the CPU), "cpu", "cuda", "cuda:N". Throws Error when the one asked for is not
/// there.
torch::Device choose_device(const std::string& name);
/// "cpu (8 threads)", "cuda:0".
std::string describe_device(const torch::Device& device);
/// What `precision` means on `device`: never kAuto. Throws Error for bf16 or fp16 on a CPU.
Precision choose_precision(Precision precision, const torch::Device& device);

/// Makes a GPU add up in the same order every time, where libtorch can. Call before its first work.
void make_deterministic();

/// Matrix products in bf16 or fp16 on the GPU while it lives (weights stay fp32; softmax, LayerNorm and sums are fp32).
/// Does nothing for fp32. Passes with and without gradients need objects of their own: a weight that was cast without
/// gradients has none for the rest of the object's life.
class Autocast {
 public:
  explicit Autocast(Precision precision);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool enabled_;
};

/// Seeds the generators of the CPU and of `device`.
void seed_generators(uint64_t seed, const torch::Device& device);

}  // namespace litenat::train
