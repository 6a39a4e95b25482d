#include "train/device.h"

#include <ATen/Context.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <cstdlib>
#include <mutex>

#include "base/error.h"

namespace litenat::train {
namespace {

/// The folder of libtorch_cpu.so, with a slash; empty when it cannot be told.
std::string torch_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&at::globalContext), &info) == 0 || info.dli_fname == nullptr) return "";
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

std::string try_load_cuda() {
  // Symbols must be visible to libtorch_cpu's lazy look-ups: RTLD_GLOBAL.
  if (dlopen((torch_folder() + "libtorch_cuda.so").c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return "";
  const char* reason = dlerror();
  return reason == nullptr ? "cannot load libtorch_cuda.so" : reason;
}

int gpu_count() {
  return at::globalContext().hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().deviceCount()) : 0;
}

int parse_index(const std::string& name) {
  const std::string digits = name.substr(5);
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos)
    throw Error("train.device: expected auto, cpu, cuda or cuda:N, found '" + name + "'");
  return std::stoi(digits);
}

at::Generator generator_of(const std::string& name, const torch::Device& device) {
  return name == "cpu" ? at::detail::getDefaultCPUGenerator() : at::globalContext().defaultGenerator(device);
}

}  // namespace

const std::string& load_cuda() {
  static const std::string reason = try_load_cuda();
  return reason;
}

torch::Device choose_device(const std::string& name) {
  if (name == "cpu") return torch::Device(torch::kCPU);
  if (name != "auto" && name != "cuda" && name.compare(0, 5, "cuda:") != 0)
    throw Error("train.device: expected auto, cpu, cuda or cuda:N, found '" + name + "'");
  const int index = name.size() > 5 ? parse_index(name) : 0;
  const std::string& reason = load_cuda();
  const int count = reason.empty() ? gpu_count() : 0;
  if (index < count) return torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(index));
  if (name == "auto") return torch::Device(torch::kCPU);
  throw Error("train.device: expected " + name + ", found " +
              (reason.empty() ? std::to_string(count) + " GPUs" : "no CUDA: " + reason) + "; use device = \"cpu\"");
}

std::string describe_device(const torch::Device& device) {
  if (device.is_cpu()) return "cpu (" + std::to_string(at::get_num_threads()) + " threads)";
  return device.str();
}

Precision choose_precision(Precision precision, const torch::Device& device) {
  if (precision == Precision::kAuto) return device.is_cuda() ? Precision::kBf16 : Precision::kFp32;
  if (precision != Precision::kFp32 && device.is_cpu())
    throw Error(std::string("train.precision: ") + kPrecisionNames.name(precision) +
                " needs a GPU, found the device cpu; use precision = \"auto\" or \"fp32\"");
  return precision;
}

void make_deterministic() {
  // cuBLAS reads it when it starts: without a workspace of its own, streams share one in an order that varies.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  // Meant to show reads of memory that nobody wrote; costs a pass over every new tensor.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
}

Autocast::Autocast(Precision precision) : enabled_(precision != Precision::kFp32) {
  if (!enabled_) return;
  at::autocast::increment_nesting();
  at::autocast::set_autocast_dtype(at::kCUDA, precision == Precision::kFp16 ? at::kHalf : at::kBFloat16);
  at::autocast::set_autocast_cache_enabled(true);
  at::autocast::set_autocast_enabled(at::kCUDA, true);
}

Autocast::~Autocast() {
  if (!enabled_) return;
  at::autocast::set_autocast_enabled(at::kCUDA, false);
  // The narrow copies of the weights are stale after the next update.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

void seed_generators(uint64_t seed, const torch::Device& device) {
  for (const char* name : {"cpu", "cuda"}) {
    if (std::string(name) == "cuda" && !device.is_cuda()) continue;
    at::Generator generator = generator_of(name, device);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_current_seed(seed);
  }
}

}  // namespace litenat::train
