#include "train/c10d_group.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>

#include "base/error.h"

#ifdef LITENAT_HAS_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

namespace litenat::train {
namespace {

/// The number in the environment variable `name`, in [low, high]; `missing` (below low: an error) where it is not set.
int read_number(const char* name, int low, int high, int missing) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == 0) {
    if (missing >= low) return missing;
    throw Error(std::string(name) +
                ": expected a number, as WORLD_SIZE is above 1, found nothing: start the processes "
                "with torchrun, or set what it sets");
  }
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*end != 0 || value < low || value > high)
    throw Error(std::string(name) + ": expected a number from " + std::to_string(low) + " to " + std::to_string(high) +
                ", found '" + text + "'");
  return static_cast<int>(value);
}

}  // namespace

RankEnvironment RankEnvironment::read() {
  constexpr int kMostRanks = 1 << 16;
  RankEnvironment result;
  result.size = read_number("WORLD_SIZE", 1, kMostRanks, 1);
  if (result.size == 1) return result;
  result.rank = read_number("RANK", 0, result.size - 1, -1);
  result.local_rank = read_number("LOCAL_RANK", 0, result.size - 1, 0);
  result.local_size = read_number("LOCAL_WORLD_SIZE", 1, result.size, 1);
  result.master_port = read_number("MASTER_PORT", 1, 65535, -1);
  const char* host = std::getenv("MASTER_ADDR");
  if (host == nullptr || *host == 0)
    throw Error("MASTER_ADDR: expected the host of rank 0, as WORLD_SIZE is above 1, found nothing");
  result.master_host = host;
  return result;
}

#ifdef LITENAT_HAS_GLOO
namespace {

using torch::Tensor;

// The longest that processes wait for each other to start.
constexpr std::chrono::milliseconds kLongestStart(1800 * 1000);

bool is_timeout(const std::string& message) {
  const auto has = [&message](const char* text) { return message.find(text) != std::string::npos; };
  return has("imed out") || has("imeout");
}

class GlooGroup final : public ProcessGroup {
 public:
  GlooGroup(const RankEnvironment& environment, double timeout_seconds)
      : environment_(environment), timeout_seconds_(timeout_seconds) {
    const std::chrono::milliseconds timeout(static_cast<int64_t>(1000 * timeout_seconds));
    guarded([&] {
      c10d::TCPStoreOptions store;
      store.port = static_cast<uint16_t>(environment.master_port);
      store.isServer = environment.rank == 0;
      store.numWorkers = static_cast<size_t>(environment.size);
      store.timeout = std::min(timeout, kLongestStart);
      // torchrun's agent may hold the port with a store of its own already.
      store.multiTenant = true;
      const char* agent = std::getenv("TORCHELASTIC_USE_AGENT_STORE");
      if (agent != nullptr && std::string(agent) == "True") store.isServer = false;
      store_ = c10::make_intrusive<c10d::TCPStore>(environment.master_host, store);
      // A restarted set of processes must not meet what an earlier one left in the store.
      const char* attempt = std::getenv("TORCHELASTIC_RESTART_COUNT");
      const std::string prefix = std::string("litenat/") + (attempt == nullptr ? "0" : attempt);
      auto options = c10d::ProcessGroupGloo::Options::create(timeout);
      const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
      options->devices = {interface == nullptr ? c10d::ProcessGroupGloo::createDefaultDevice()
                                               : c10d::ProcessGroupGloo::createDeviceForInterface(interface)};
      options->threads = 2;
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<c10d::PrefixStore>(prefix, store_),
                                                           environment.rank, environment.size, options);
    });
  }

  int rank() const override { return environment_.rank; }
  int size() const override { return environment_.size; }

  void sum(const std::vector<Tensor>& tensors) override {
    const torch::NoGradGuard no_grad;
    std::map<torch::ScalarType, std::vector<Tensor>> by_type;  // one message for each type
    for (const Tensor& tensor : tensors) by_type[tensor.scalar_type()].push_back(tensor);
    for (const auto& [type, of_type] : by_type) {
      std::vector<Tensor> flat;
      for (const Tensor& tensor : of_type) flat.push_back(tensor.detach().reshape({-1}));
      std::vector<Tensor> message = {torch::cat(flat).to(torch::kCPU)};
      guarded([&] { group_->allreduce(message)->wait(); });
      int64_t first = 0;
      for (const Tensor& tensor : of_type) {
        Tensor target = tensor.detach();
        target.copy_(message[0].narrow(0, first, tensor.numel()).view(tensor.sizes()));
        first += tensor.numel();
      }
    }
  }

  void barrier() override {
    guarded([&] { group_->barrier()->wait(); });
  }

 private:
  template <typename Action>
  void guarded(const Action& action) const {
    try {
      action();
    } catch (const std::exception& error) {
      const std::string text = error.what(), reason = " (" + text.substr(0, text.find('\n')) + ")";
      const std::string whose =
          "rank " + std::to_string(environment_.rank) + " of " + std::to_string(environment_.size);
      const std::string advice = "; the same command goes on from the last checkpoint";
      if (is_timeout(text))
        throw Error(whose + ": no answer from another process of the run in " +
                    std::to_string(static_cast<int64_t>(timeout_seconds_)) + " s" + reason +
                    ": it hangs, or is busy for longer (rank 0 validates alone): raise train.rank_timeout" + advice);
      throw Error(whose + ": another process of the run has ended or cannot be reached" + reason +
                  ": see its messages" + advice);
    }
  }

  RankEnvironment environment_;
  double timeout_seconds_;
  c10::intrusive_ptr<c10d::TCPStore> store_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

}  // namespace

std::shared_ptr<ProcessGroup> make_process_group(const RankEnvironment& environment, double timeout_seconds) {
  return std::make_shared<GlooGroup>(environment, timeout_seconds);
}
#else
std::shared_ptr<ProcessGroup> make_process_group(const RankEnvironment& environment, double /*timeout_seconds*/) {
  throw Error("WORLD_SIZE: expected 1, found " + std::to_string(environment.size) +
              ": this litenat was built without Gloo's headers (libgloo-dev); run scripts/setup and build again");
}
#endif

}  // namespace litenat::train
