// How far a long verb is: a bar on a terminal, a plain line every ten seconds elsewhere, nothing when quiet.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace litenat::cli {

enum class ProgressStyle { kBar, kLines, kQuiet };

/// Shows one activity on stderr. Destroying it ends its line. One thread at a time.
class Progress {
 public:
  virtual ~Progress() = default;
  /// `done` of the total is done; `note` (may be empty) stands at the end of the line ("loss 1.23"). Draws only when a
  /// new picture is due, so it may be called for every item.
  virtual void update(int64_t done, const std::string& note) = 0;
  void update(int64_t done) { update(done, std::string()); }
};

/// `total` 0: unknown, then only the count and rate are shown. `unit` follows the numbers ("lines").
std::unique_ptr<Progress> make_progress(ProgressStyle style, const std::string& label, int64_t total,
                                        const std::string& unit);

/// Makes progress displays; what libraries loaded at run time get instead of the function above.
using ProgressFactory =
    std::function<std::unique_ptr<Progress>(const std::string& label, int64_t total, const std::string& unit)>;

/// kBar when stderr is a terminal, else kLines.
ProgressStyle default_progress_style();

/// Calls `write` with the bar out of the way (log messages would else be written into its line).
void with_bar_hidden(const std::function<void()>& write);

/// "1.2 k", "3.4 M": a count in few characters.
std::string short_count(double count);
/// "12 s", "3 min 04 s", "2 h 10 min".
std::string short_duration(double seconds);

}  // namespace litenat::cli
