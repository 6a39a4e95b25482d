// `litenat train`, killed at random moments and started again, learns what an uninterrupted run learns: bit for bit.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "base/json.h"
#include "config/config.h"
#include "format/container.h"
#include "train/train_testing.h"

extern char** environ;

namespace litenat::train {
namespace {

using testing::TemporaryFolder;

/// Large enough that a run takes a second or two.
TrainConfig slow_toy(const std::string& data_folder) {
  TrainConfig config = testing::toy_config(data_folder);
  config.data.batch.max_tokens = 800;
  config.model.dim = 64;
  config.model.encoder.blocks[0].conv.heads = 8;
  config.model.encoder.blocks[0].ffn_dim = 128;
  config.model.encoder.repeat = 2;
  config.train.max_updates = 60;
  config.train.save_every = 7;
  config.train.validate_every = 20;
  config.train.log_every = 3;
  config.train.update_freq = 2;
  return config;
}

std::string write_config(const std::string& folder) {
  const std::string path = folder + "/toy.toml";
  std::ofstream(path) << config::dump_toml(slow_toy(folder));
  return path;
}

/// `wrapper`: words in front of the program's name.
pid_t start(const std::string& config, const std::string& run, const std::vector<std::string>& wrapper = {}) {
  std::vector<std::string> words = wrapper;
  for (const std::string& word : {std::string(LITENAT_PROGRAM), std::string("train"), config, std::string("--output"),
                                  run, std::string("--threads"), std::string("2")})
    words.push_back(word);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string log = run + ".stderr";
  posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  EXPECT_EQ(error, 0) << LITENAT_PROGRAM;
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

std::string text_of(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void run_to_end(const std::string& config, const std::string& run) {
  const int status = wait_for(start(config, run));
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << text_of(run + ".stderr");
}

/// What of the log must not depend on interruptions: all but the clock.
std::string learning(const std::string& run) {
  std::ifstream log(run + "/log.jsonl");
  std::string result;
  for (std::string line; std::getline(log, line);) {
    const Json json = value_or_throw(Json::parse(line));
    for (const auto& [key, value] : json.members())
      if (key != "seconds" && key != "tokens_per_s") result += key + "=" + value.dump() + " ";
    result += "\n";
  }
  return result;
}

/// The tensors of the last checkpoint, byte for byte.
std::map<std::string, std::string> weights(const std::string& run) {
  const auto container = value_or_throw(format::Container::open(run + "/checkpoints/last.safetensors"));
  std::map<std::string, std::string> result;
  for (const auto& [name, tensor] : container->tensors())
    result[name] = std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return result;
}

class Resume : public ::testing::Test {
 protected:
  Resume() : folder_("litenat_resume"), straight_(folder_.path() + "/straight") {}
  void SetUp() override {
    testing::write_toy_data(folder_.path(), 3000, 50);
    config_ = write_config(folder_.path());
    const auto begin = std::chrono::steady_clock::now();
    run_to_end(config_, straight_);
    duration_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  void expect_same(const std::string& run) {
    EXPECT_EQ(learning(run), learning(straight_));
    EXPECT_EQ(weights(run), weights(straight_));
  }

  TemporaryFolder folder_;
  std::string config_;
  std::string straight_;  // the run that nothing interrupts
  double duration_ = 0;
};

TEST_F(Resume, KilledAtRandomMomentsLossesAreBitEqual) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string run = folder_.path() + "/killed";
  int kills = 0;
  for (int attempt = 0; attempt < 4; ++attempt) {
    const pid_t child = start(config_, run);
    // Most of the time goes into loading and into the updates after it; both may be hit.
    const double share = std::uniform_real_distribution<double>(0.3, 1.0)(random);
    std::this_thread::sleep_for(std::chrono::duration<double>(share * duration_));
    kill(child, SIGKILL);
    kills += WIFSIGNALED(wait_for(child)) ? 1 : 0;
  }
  run_to_end(config_, run);
  EXPECT_GT(kills, 0);
  expect_same(run);
}

TEST_F(Resume, TerminatedSavesAndSaysSo) {
  const std::string run = folder_.path() + "/terminated";
  const pid_t child = start(config_, run);
  for (int i = 0; i < 600 && text_of(run + "/log.jsonl").empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  kill(child, SIGTERM);
  const int status = wait_for(child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGTERM) << text_of(run + ".stderr");
  const auto saved = value_or_throw(format::Container::open(run + "/checkpoints/last.safetensors"));
  const Json state = value_or_throw(Json::parse(*saved->metadata("litenat.state")));
  EXPECT_GE(state.find("update")->integer(), 3);
  run_to_end(config_, run);
  expect_same(run);
}

TEST_F(Resume, FullDiskKeepsTheLastCheckpoint) {
  const std::string run = folder_.path() + "/full";
  const pid_t child = start(config_, run);
  const std::string last = run + "/checkpoints/last.safetensors";
  for (int i = 0; i < 600 && !std::filesystem::exists(last); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  kill(child, SIGKILL);
  wait_for(child);
  const std::string before = text_of(last);
  ASSERT_GT(before.size(), 400u * 1024);
  // A limit on the size of files fails as a full disk does, once its signal is ignored.
  const int status =
      wait_for(start(config_, run, {"/bin/bash", "-c", "trap '' XFSZ; ulimit -f 400; exec \"$@\"", "bash"}));
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
  const std::string message = text_of(run + ".stderr");
  EXPECT_NE(message.find(".safetensors"), std::string::npos) << message;
  EXPECT_EQ(text_of(last), before);
  for (const auto& entry : std::filesystem::directory_iterator(run + "/checkpoints"))
    EXPECT_EQ(entry.path().string().find(".tmp."), std::string::npos) << entry.path();
  run_to_end(config_, run);
  expect_same(run);
}

}  // namespace
}  // namespace litenat::train
