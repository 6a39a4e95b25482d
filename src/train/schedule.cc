#include "train/schedule.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace litenat::train {

Schedule::Schedule(const ScheduleSpec& spec, double peak_lr, int64_t total_updates)
    : spec_(spec), peak_lr_(peak_lr), total_updates_(total_updates), period_(static_cast<double>(spec.period)) {
  const bool needs_end =
      spec.kind == ScheduleKind::kPolynomial || (spec.kind == ScheduleKind::kCosine && spec.period == 0);
  if (needs_end && total_updates <= 0)
    throw Error("schedule.kind: " + std::string(kScheduleKindNames.name(spec.kind)) +
                " has to know when training ends: set train.max_updates, train.max_epochs or schedule.period");
  if (spec.period == 0) period_ = static_cast<double>(std::max<int64_t>(1, total_updates - spec.warmup_updates));
}

double Schedule::rate(int64_t n) const {
  const double done = static_cast<double>(n), warmup = static_cast<double>(spec_.warmup_updates);
  if (n < spec_.warmup_updates) return spec_.warmup_init_lr + done * (peak_lr_ - spec_.warmup_init_lr) / warmup;
  switch (spec_.kind) {
    case ScheduleKind::kConstant:
      return peak_lr_;
    case ScheduleKind::kInverseSqrt:
      return peak_lr_ * std::sqrt(std::max(1.0, warmup) / std::max(1.0, done));
    case ScheduleKind::kCosine:
      return cosine(n - spec_.warmup_updates);
    case ScheduleKind::kPolynomial:
      return polynomial(n);
  }
  return peak_lr_;
}

double Schedule::cosine(int64_t after_warmup) const {
  const double u = static_cast<double>(after_warmup), tm = spec_.t_mult;
  // The one period of a cosine without schedule.period: at its end the rate stays low instead of starting anew, as the
  // number of updates in max_epochs is an estimate where sentences have other lengths in each epoch.
  if (spec_.period == 0 && u >= period_) return spec_.min_lr;
  double restarts, length, t;
  if (tm == 1) {
    restarts = std::floor(u / period_);
    length = period_;
    t = u - restarts * period_;
  } else {
    restarts = std::floor(std::log(1 - u / period_ * (1 - tm)) / std::log(tm));
    length = std::pow(tm, restarts) * period_;
    t = u - (1 - std::pow(tm, restarts)) / (1 - tm) * period_;
  }
  const double scale = std::pow(spec_.shrink, restarts);
  constexpr double kPi = 3.14159265358979323846;
  return scale * (spec_.min_lr + 0.5 * (peak_lr_ - spec_.min_lr) * (1 + std::cos(kPi * t / length)));
}

double Schedule::polynomial(int64_t n) const {
  if (n >= total_updates_) return spec_.min_lr;
  const double left = static_cast<double>(total_updates_ - n);
  const double all = static_cast<double>(total_updates_ - spec_.warmup_updates);
  return (peak_lr_ - spec_.min_lr) * std::pow(left / all, spec_.power) + spec_.min_lr;
}

}  // namespace litenat::train
