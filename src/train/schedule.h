// The learning rate of each update.
#pragma once

#include <cstdint>

#include "base/fields.h"

namespace litenat::train {

enum class ScheduleKind { kConstant, kInverseSqrt, kCosine, kPolynomial };
inline const EnumNames<ScheduleKind> kScheduleKindNames{{{ScheduleKind::kConstant, "constant"},
                                                         {ScheduleKind::kInverseSqrt, "inverse_sqrt"},
                                                         {ScheduleKind::kCosine, "cosine"},
                                                         {ScheduleKind::kPolynomial, "polynomial"}}};

struct ScheduleSpec {
  ScheduleKind kind = ScheduleKind::kCosine;
  int64_t warmup_updates = 200;
  double warmup_init_lr = 1e-7;
  double min_lr = 0;   // cosine, polynomial
  int64_t period = 0;  // cosine
  double t_mult = 1;   // cosine
  double shrink = 1;   // cosine
  double power = 1;    // polynomial

  template <class V>
  void visit(V& v) {
    v("kind", kind, "how the rate falls after the warm-up", kScheduleKindNames);
    v("warmup_updates", warmup_updates, "updates of the linear rise to optimizer.lr", between(0, 1e9));
    v("warmup_init_lr", warmup_init_lr, "rate that the rise starts from", between(0, 100));
    v("min_lr", min_lr, "lowest rate of the cosine, last rate of the polynomial", between(0, 100));
    v("period", period, "updates of the first cosine period; 0 = all that follow the warm-up", between(0, 1e12));
    v("t_mult", t_mult, "each cosine period is so many times longer than the one before", between(1, 100));
    v("shrink", shrink, "rates are multiplied by this at each restart of the cosine", between(0, 1));
    v("power", power, "exponent of the polynomial", between(0, 100));
  }
};

/// A pure function from updates done to the rate of the next one.
class Schedule {
 public:
  /// `peak_lr`: the rate after the warm-up. `total_updates`: when training will end; needed by the polynomial and by a
  /// cosine without period. Throws Error when it is needed and 0.
  Schedule(const ScheduleSpec& spec, double peak_lr, int64_t total_updates);
  double rate(int64_t updates_done) const;

 private:
  double cosine(int64_t after_warmup) const;
  double polynomial(int64_t updates_done) const;

  ScheduleSpec spec_;
  double peak_lr_;
  int64_t total_updates_;
  double period_;
};

}  // namespace litenat::train
