#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <mutex>

namespace litenat::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kBarInterval = 0.1;    // seconds between two pictures
constexpr double kLineInterval = 10.0;  // seconds between two lines
constexpr int kBarWidth = 24;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string format(const char* pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof(text), pattern, value);
  return text;
}

/// The line that the terminal shows right now, so that messages can be written above it.
struct VisibleBar {
  std::mutex mutex;
  std::string text;
};
VisibleBar& visible_bar() {
  static VisibleBar bar;
  return bar;
}

int terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

class QuietProgress : public Progress {
 public:
  void update(int64_t /*done*/, const std::string& /*note*/) override {}
};

class TextProgress : public Progress {
 public:
  TextProgress(ProgressStyle style, std::string label, int64_t total, std::string unit)
      : bar_(style == ProgressStyle::kBar), label_(std::move(label)), total_(total), unit_(std::move(unit)) {}

  ~TextProgress() override {
    if (!bar_ ? drawn_ && done_ != drawn_done_ : drawn_) draw();
    if (bar_ && drawn_) end_bar();
  }

  void update(int64_t done, const std::string& note) override {
    done_ = done;
    note_ = note;
    const double now = seconds_since(start_);
    if (now - last_draw_ < (bar_ ? kBarInterval : kLineInterval)) return;
    last_draw_ = now;
    draw();
  }

 private:
  void draw() {
    drawn_ = true;
    drawn_done_ = done_;
    if (bar_) {
      draw_bar();
    } else {
      std::fprintf(stderr, "%s: %s\n", label_.c_str(), numbers().c_str());
    }
  }

  void draw_bar() {
    std::string line = label_ + " ";
    if (total_ > 0) {
      const double share = std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
      const int filled = static_cast<int>(share * kBarWidth);
      line += "[" + std::string(filled, '=') + std::string(kBarWidth - filled, ' ') + "] ";
    }
    line += numbers();
    // Labels and notes are ASCII, so bytes are columns.
    line.resize(std::min<size_t>(line.size(), static_cast<size_t>(terminal_columns() - 1)));
    std::lock_guard<std::mutex> lock(visible_bar().mutex);
    visible_bar().text = line;
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
  }

  void end_bar() {
    std::lock_guard<std::mutex> lock(visible_bar().mutex);
    visible_bar().text.clear();
    std::fputc('\n', stderr);
  }

  std::string numbers() const {
    const double elapsed = seconds_since(start_);
    const double rate = elapsed > 0 ? static_cast<double>(done_) / elapsed : 0;
    std::string text;
    if (total_ > 0) text += format("%3.0f %% ", 100.0 * static_cast<double>(done_) / static_cast<double>(total_));
    text +=
        short_count(static_cast<double>(done_)) + (total_ > 0 ? "/" + short_count(static_cast<double>(total_)) : "");
    text += " " + unit_ + ", " + short_count(rate) + " " + unit_ + "/s";
    if (total_ > 0 && rate > 0 && done_ < total_)
      text += ", " + short_duration(static_cast<double>(total_ - done_) / rate) + " left";
    if (!note_.empty()) text += ", " + note_;
    return text;
  }

  const bool bar_;
  const std::string label_;
  const int64_t total_;
  const std::string unit_;
  const Clock::time_point start_ = Clock::now();
  double last_draw_ = 0;
  int64_t done_ = 0;
  int64_t drawn_done_ = 0;
  bool drawn_ = false;
  std::string note_;
};

}  // namespace

std::unique_ptr<Progress> make_progress(ProgressStyle style, const std::string& label, int64_t total,
                                        const std::string& unit) {
  if (style == ProgressStyle::kQuiet) return std::make_unique<QuietProgress>();
  return std::make_unique<TextProgress>(style, label, total, unit);
}

ProgressStyle default_progress_style() {
  return isatty(STDERR_FILENO) != 0 ? ProgressStyle::kBar : ProgressStyle::kLines;
}

void with_bar_hidden(const std::function<void()>& write) {
  std::lock_guard<std::mutex> lock(visible_bar().mutex);
  if (!visible_bar().text.empty()) std::fputs("\r\033[K", stderr);
  write();
  if (!visible_bar().text.empty()) std::fputs(visible_bar().text.c_str(), stderr);
}

std::string short_count(double count) {
  if (count >= 1e9) return format("%.1f G", count / 1e9);
  if (count >= 1e6) return format("%.1f M", count / 1e6);
  if (count >= 1e4) return format("%.1f k", count / 1e3);
  return format(count >= 100 || count == std::floor(count) ? "%.0f" : "%.1f", count);
}

std::string short_duration(double seconds) {
  char text[64];
  const int64_t whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 60) {
    std::snprintf(text, sizeof(text), "%d s", static_cast<int>(whole));
  } else if (whole < 3600) {
    std::snprintf(text, sizeof(text), "%d min %02d s", static_cast<int>(whole / 60), static_cast<int>(whole % 60));
  } else {
    std::snprintf(text, sizeof(text), "%lld h %02d min", static_cast<long long>(whole / 3600),
                  static_cast<int>(whole / 60 % 60));
  }
  return text;
}

}  // namespace litenat::cli
