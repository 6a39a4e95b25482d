// Several processes training one model: the test program starts itself as ranks.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>
#include <optional>
#include <sstream>
#include <thread>

#include "train/c10d_group.h"
#include "train/pair_testing.h"
#include "train/trainer.h"

extern char** environ;

namespace litenat::train {
namespace {

using testing::pair_config;
using testing::TemporaryFolder;
using testing::write_pair_data;
using torch::Tensor;

/// Ends its process without a word after a number of updates; -1: never.
struct Killer : TrainListener {
  explicit Killer(int64_t last) : last_update(last) {}
  void on_start(int64_t, int64_t) override {}
  void on_update(int64_t updates, const std::string&) override {
    if (updates == last_update) _exit(9);
  }
  void on_message(const std::string&) override {}
  int64_t last_update;
};

TrainConfig distributed_config(const std::string& folder) {
  TrainConfig config = pair_config(folder, ObjectiveKind::kGlat);
  config.dropout.dropout = 0.1;
  config.data.batch.max_tokens = 128;
  config.objective.glancing.updates = 12;
  config.train.validate_every = 6;
  config.train.save_every = 3;
  config.train.tensorboard = false;
  // Adam does not see a constant factor of the gradients, nor does clipping let it through to the weights: the logged
  // norms show it.
  config.train.clip_norm = 0;
  return config;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

TEST(DistributedRank, DISABLED_Trains) {
  TrainConfig config = distributed_config(variable("TEST_DATA"));
  config.train.max_updates = std::stoi(variable("TEST_UPDATES"));
  config.train.update_freq = std::stoi(variable("TEST_FREQUENCY"));
  Killer listener(std::stoi(variable("TEST_DIES_AT")));
  TrainOptions options;
  options.run_folder = variable("TEST_RUN");
  options.threads = 1;
  const RankEnvironment environment = RankEnvironment::read();
  try {
    if (environment.size > 1) options.group = make_process_group(environment, 300);
    Trainer(config, options, &listener).run();
  } catch (const Error& error) {
    std::ofstream(options.run_folder + ".error" + std::to_string(environment.rank)) << error.what();
    FAIL() << error.what();
  }
}

/// Of another process by the time it is used, now and then: see with_port().
int free_port() {
  const int handle = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(handle, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(handle, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(handle);
  return ntohs(address.sin_port);
}

struct Job {
  std::string data, run;
  int ranks = 1, frequency = 1, updates = 12;
  int dying_rank = -1, dies_at = -1;
};

pid_t start_rank(const Job& job, int rank, int port) {
  const bool dies = rank == job.dying_rank;
  std::vector<std::string> variables = {"RANK=" + std::to_string(rank),
                                        "LOCAL_RANK=" + std::to_string(rank),
                                        "WORLD_SIZE=" + std::to_string(job.ranks),
                                        "MASTER_ADDR=127.0.0.1",
                                        "MASTER_PORT=" + std::to_string(port),
                                        "TEST_DATA=" + job.data,
                                        "TEST_RUN=" + job.run,
                                        "TEST_UPDATES=" + std::to_string(job.updates),
                                        "TEST_FREQUENCY=" + std::to_string(job.frequency),
                                        "TEST_DIES_AT=" + std::to_string(dies ? job.dies_at : -1)};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.compare(0, 6, "GTEST_") != 0 && text.compare(0, 5, "TEST_") != 0) variables.push_back(text);
  }
  std::vector<char*> environment;
  for (std::string& text : variables) environment.push_back(text.data());
  environment.push_back(nullptr);
  std::string program = "train_test", filter = "--gtest_filter=DistributedRank.DISABLED_Trains",
              disabled = "--gtest_also_run_disabled_tests", quiet = "--gtest_brief=1";
  char* arguments[] = {program.data(), filter.data(), disabled.data(), quiet.data(), nullptr};
  // What a rank prints would look like failures of this test.
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process = -1;
  EXPECT_EQ(posix_spawn(&process, "/proc/self/exe", &actions, nullptr, arguments, environment.data()), 0);
  posix_spawn_file_actions_destroy(&actions);
  return process;
}

std::string text_of(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool is_about_the_port(std::string message) {
  for (char& c : message) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return message.find("in use") != std::string::npos;
}

std::vector<int> run_job_at(const Job& job, int port) {
  std::vector<pid_t> processes;
  for (int rank = 0; rank < job.ranks; ++rank) processes.push_back(start_rank(job, rank, port));
  std::vector<int> statuses;
  for (const pid_t process : processes) {
    int status = 0;
    EXPECT_EQ(waitpid(process, &status, 0), process);
    statuses.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  }
  return statuses;
}

/// Starts the ranks and waits for all of them: their exit statuses. Tries another port where one is taken meanwhile.
std::vector<int> run_job(const Job& job) {
  std::vector<int> statuses;
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::filesystem::remove(job.run + ".error0");
    statuses = run_job_at(job, free_port());
    if (!is_about_the_port(text_of(job.run + ".error0"))) break;
  }
  return statuses;
}

/// The lines of training in a run's log, by update.
std::map<int64_t, Json> log_of(const std::string& run) {
  std::ifstream file(run + "/log.jsonl");
  std::map<int64_t, Json> lines;
  for (std::string line; std::getline(file, line);) {
    Json json = value_or_throw(Json::parse(line));
    if (json.find("type")->string() == "train") lines[json.find("update")->integer()] = std::move(json);
  }
  return lines;
}

/// What ranks add up: sums that miss a factor give weights that look right.
void expect_equal_log(const std::string& a, const std::string& b, int64_t update) {
  const auto left = log_of(a), right = log_of(b);
  ASSERT_EQ(left.count(update), 1u);
  ASSERT_EQ(right.count(update), 1u);
  for (const char* name : {"loss", "nll", "acc", "grad_norm", "word", "length", "glance"}) {
    const double x = left.at(update).find(name)->number(), y = right.at(update).find(name)->number();
    EXPECT_NEAR(x, y, 1e-4 + 1e-3 * std::abs(x)) << name << " of update " << update;
  }
}

void expect_equal_runs(const std::string& a, const std::string& b) {
  const CheckpointReader left(a + "/checkpoints/last.safetensors"), right(b + "/checkpoints/last.safetensors");
  EXPECT_EQ(left.state().update, right.state().update);
  EXPECT_EQ(left.state().epoch, right.state().epoch);
  EXPECT_EQ(left.state().batch, right.state().batch);
  const auto model = nn::make_model(left.spec(), {});
  for (const auto& item : model->named_parameters())
    EXPECT_TRUE(torch::allclose(left.read("model/" + item.key()), right.read("model/" + item.key()), 1e-3, 1e-4))
        << item.key();
}

/// Calls `action` with a free port, again with another one where it is taken meanwhile.
template <typename Action>
void with_port(const Action& action) {
  for (int attempt = 0;; ++attempt) {
    try {
      return action(free_port());
    } catch (const Error& error) {
      if (attempt == 2 || !is_about_the_port(error.what())) throw;
    }
  }
}

class Distributed : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      with_port([](int port) { make_process_group({0, 1, 0, 1, "127.0.0.1", port}, 20); });
    } catch (const Error& error) {
      if (std::string(error.what()).find("built without Gloo") == std::string::npos) FAIL() << error.what();
      GTEST_SKIP() << error.what();
    }
    write_pair_data(folder_.path(), 200, 20);
  }
  Job job(const char* run, int ranks, int frequency) const {
    Job result;
    result.data = folder_.path();
    result.run = folder_.path() + "/" + run;
    result.ranks = ranks;
    result.frequency = frequency;
    return result;
  }
  TemporaryFolder folder_{"litenat_distributed"};
};

TEST_F(Distributed, TwoRanksAreOneWithTheDoubleBatch) {
  const Job one = job("one", 1, 2), two = job("two", 2, 1);
  ASSERT_EQ(run_job(one), std::vector<int>{0});
  ASSERT_EQ(run_job(two), (std::vector<int>{0, 0}));
  expect_equal_runs(one.run, two.run);
  for (const int64_t update : {4, 8, 12}) expect_equal_log(one.run, two.run, update);
  // Begun by two, finished by one.
  Job begun = job("mixed", 2, 1), finished = job("mixed", 1, 2);
  begun.updates = 7;
  ASSERT_EQ(run_job(begun), (std::vector<int>{0, 0}));
  ASSERT_EQ(run_job(finished), std::vector<int>{0});
  expect_equal_runs(one.run, finished.run);
  expect_equal_log(one.run, finished.run, 12);
  // Another global batch is refused.
  const Job other = job("mixed", 1, 1);
  EXPECT_EQ(run_job(other), std::vector<int>{1});
  const std::string text = text_of(other.run + ".error0");
  EXPECT_NE(text.find("WORLD_SIZE to stay 2"), std::string::npos) << text;
}

TEST_F(Distributed, ADeadRankEndsTheOthersAndTheRunGoesOn) {
  Job two = job("dies", 2, 1);
  two.dying_rank = 1;
  two.dies_at = 5;
  EXPECT_EQ(run_job(two), (std::vector<int>{1, 9}));
  // At once: a wait for the timeout has another message.
  const std::string text = text_of(two.run + ".error0");
  EXPECT_NE(text.find("rank 0 of 2: another process of the run has ended"), std::string::npos) << text;
  EXPECT_EQ(CheckpointReader(two.run + "/checkpoints/last.safetensors").state().update, 3);
  two.dying_rank = -1;
  EXPECT_EQ(run_job(two), (std::vector<int>{0, 0}));
  const Job straight = job("straight", 2, 1);
  EXPECT_EQ(run_job(straight), (std::vector<int>{0, 0}));
  expect_equal_runs(two.run, straight.run);
}

TEST_F(Distributed, ARankThatDoesNotAnswerIsToldFromADeadOne) {
  std::string message;
  with_port([&message](int port) {
    std::shared_ptr<ProcessGroup> busy;
    std::promise<void> waited;
    std::thread other([&] {
      const std::shared_ptr<ProcessGroup> group = make_process_group({1, 2, 0, 1, "127.0.0.1", port}, 2);
      try {
        group->barrier();
      } catch (const Error& error) {
        message = error.what();
      }
      waited.set_value();
    });
    try {
      busy = make_process_group({0, 2, 0, 1, "127.0.0.1", port}, 2);
    } catch (const Error&) {
      other.join();
      throw;
    }
    waited.get_future().wait();  // meanwhile this rank validates
    other.join();
  });
  EXPECT_NE(message.find("rank 1 of 2: no answer from another process of the run in 2 s"), std::string::npos)
      << message;
  EXPECT_NE(message.find("raise train.rank_timeout"), std::string::npos) << message;
}

/// Sets environment variables back when it goes.
class KeptVariables {
 public:
  explicit KeptVariables(std::vector<const char*> names) {
    for (const char* name : names) {
      const char* value = std::getenv(name);
      before_.emplace_back(name, value == nullptr ? std::nullopt : std::optional<std::string>(value));
    }
  }
  ~KeptVariables() {
    for (const auto& [name, value] : before_) value ? setenv(name, value->c_str(), 1) : unsetenv(name);
  }

 private:
  std::vector<std::pair<const char*, std::optional<std::string>>> before_;
};

TEST(RankEnvironment, NamesWhatIsMissing) {
  const KeptVariables kept({"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "LOCAL_RANK", "LOCAL_WORLD_SIZE"});
  const auto error_of = [] {
    try {
      RankEnvironment::read();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"}) unsetenv(name);
  EXPECT_EQ(RankEnvironment::read().size, 1);
  setenv("WORLD_SIZE", "2", 1);
  EXPECT_NE(error_of().find("RANK: expected a number, as WORLD_SIZE is above 1"), std::string::npos);
  setenv("RANK", "2", 1);
  EXPECT_NE(error_of().find("RANK: expected a number from 0 to 1, found '2'"), std::string::npos);
  setenv("RANK", "1", 1);
  setenv("MASTER_PORT", "29500", 1);
  unsetenv("MASTER_ADDR");
  EXPECT_NE(error_of().find("MASTER_ADDR"), std::string::npos);
}

}  // namespace
}  // namespace litenat::train
