// The kernels that work on one row at a time, written once over the 16 lanes of V (vec/vec16_*.h).
#pragma once

#include <cstdint>

#include "kernels/rowwise/exp_inl.h"

namespace litenat::kernels {

/// Calls f(c, count) for each run of at most 16 columns from c; count is the constant 16 except at the end.
template <class Function>
LITENAT_INLINE void for_each_16(int64_t columns, Function f) {
  int64_t c = 0;
  for (; c + 16 <= columns; c += 16) f(c, 16);
  if (c < columns) f(c, static_cast<int>(columns - c));
}

template <class V>
LITENAT_INLINE V load_up_to(const float* p, int count, V fill) {
  return count == 16 ? V::load(p) : V::load_partial(p, count, fill);
}

template <class V>
LITENAT_INLINE V load_up_to(const float* p, int count) {
  return load_up_to(p, count, V::broadcast(0.0f));
}

template <class V>
LITENAT_INLINE void store_up_to(V v, float* p, int count) {
  if (count == 16) {
    v.store(p);
  } else {
    v.store_partial(p, count);
  }
}

template <class V>
void layer_norm_row(const float* x, int64_t columns, const float* gain, const float* bias, float epsilon, float* y) {
  V total = V::broadcast(0.0f);
  for_each_16(columns, [&](int64_t c, int count) LITENAT_LAMBDA { total = total + load_up_to<V>(x + c, count); });
  const V mean = V::broadcast(total.reduce_add() / static_cast<float>(columns));
  V squares = V::broadcast(0.0f);
  for_each_16(columns, [&](int64_t c, int count) LITENAT_LAMBDA {
    const V deviation = load_up_to(x + c, count, mean) - mean;
    squares = V::fma(deviation, deviation, squares);
  });
  const float variance = squares.reduce_add() / static_cast<float>(columns);
  const V inverse = V::broadcast(1.0f / __builtin_sqrtf(variance + epsilon));
  for_each_16(columns, [&](int64_t c, int count) LITENAT_LAMBDA {
    const V normal = (load_up_to<V>(x + c, count) - mean) * inverse;
    store_up_to(V::fma(normal, load_up_to<V>(gain + c, count), load_up_to<V>(bias + c, count)), y + c, count);
  });
}

template <class V>
void layer_norm(const float* x, int64_t x_stride, int64_t rows, int64_t columns, const float* gain, const float* bias,
                float epsilon, float* y, int64_t y_stride) {
  if (columns == 0) return;
  for (int64_t m = 0; m < rows; ++m) {
    layer_norm_row<V>(x + m * x_stride, columns, gain, bias, epsilon, y + m * y_stride);
  }
}

template <class V>
void add(const float* x, int64_t x_stride, const float* z, int64_t z_stride, int64_t rows, int64_t columns, float* y,
         int64_t y_stride) {
  for (int64_t m = 0; m < rows; ++m, x += x_stride, z += z_stride, y += y_stride) {
    for_each_16(columns, [&](int64_t c, int count) LITENAT_LAMBDA {
      store_up_to(load_up_to<V>(x + c, count) + load_up_to<V>(z + c, count), y + c, count);
    });
  }
}

/// y = f(x) for a function of V.
template <class V, class Function>
LITENAT_INLINE void map_rows(const float* x, int64_t x_stride, int64_t rows, int64_t columns, float* y,
                             int64_t y_stride, Function f) {
  for (int64_t m = 0; m < rows; ++m, x += x_stride, y += y_stride) {
    for_each_16(columns, [&](int64_t c, int count)
                             LITENAT_LAMBDA { store_up_to<V>(f(load_up_to<V>(x + c, count)), y + c, count); });
  }
}

template <class V>
void relu(const float* x, int64_t x_stride, int64_t rows, int64_t columns, float* y, int64_t y_stride) {
  map_rows<V>(x, x_stride, rows, columns, y, y_stride,
              [](V v) LITENAT_LAMBDA { return V::max(v, V::broadcast(0.0f)); });
}

/// x Phi(x) = max(x, 0) - t Q(t), t = |x|, where the tail Q(t) = 1 - Phi(t) = exp(-t^2 / 2) R(t): what is approximated
/// is small everywhere, so large x come out exact.
template <class V>
LITENAT_INLINE V gelu_of(V x) {
  // R(t) as a polynomial in u = 1 / (1 + 0.33 t), interpolated at the Chebyshev nodes of t in [0, 14];
  // |t Q(t)| is off by less than 3e-8.
  constexpr float kTail[8] = {-0x1.c1b0e4p-14f, 0x1.11e754p-3f, 0x1.d5f8ccp-4f,  0x1.87d224p-3f,
                              -0x1.a16b6cp-4f,  0x1.5bfb1ep-2f, -0x1.c9bff4p-3f, 0x1.78074ap-5f};
  const V one = V::broadcast(1.0f);
  const V t = V::min(x.abs(), V::broadcast(14.0f));
  const V u = one / V::fma(t, V::broadcast(0.33f), one);
  const V tail = polynomial(u, kTail) * exp_of_nonpositive(t * t * V::broadcast(-0.5f));
  return V::max(x, V::broadcast(0.0f)) - t * tail;
}

template <class V>
void gelu(const float* x, int64_t x_stride, int64_t rows, int64_t columns, float* y, int64_t y_stride) {
  map_rows<V>(x, x_stride, rows, columns, y, y_stride, [](V v) LITENAT_LAMBDA { return gelu_of(v); });
}

template <class V>
void glu(const float* x, int64_t x_stride, int64_t rows, int64_t columns, float* y, int64_t y_stride) {
  for (int64_t m = 0; m < rows; ++m, x += x_stride, y += y_stride) {
    const float* gate = x + columns;
    for_each_16(columns, [&](int64_t c, int count) LITENAT_LAMBDA {
      store_up_to(load_up_to<V>(x + c, count) * sigmoid(load_up_to<V>(gate + c, count)), y + c, count);
    });
  }
}

template <class V>
LITENAT_INLINE float largest(const float* x, int64_t count) {
  V high = V::broadcast(-__builtin_inff());
  for_each_16(count, [&](int64_t c, int n) LITENAT_LAMBDA { high = V::max(high, load_up_to(x + c, n, high)); });
  return high.reduce_max();
}

template <class V>
LITENAT_INLINE void softmax(const float* x, int64_t group, float* y) {
  const V high = V::broadcast(largest<V>(x, group));
  const V nothing = V::broadcast(-__builtin_inff());
  V total = V::broadcast(0.0f);
  for_each_16(group, [&](int64_t c, int count) LITENAT_LAMBDA {
    const V e = exp_of_nonpositive(load_up_to(x + c, count, nothing) - high);
    total = total + e;
    store_up_to(e, y + c, count);
  });
  const V inverse = V::broadcast(1.0f / total.reduce_add());
  for_each_16(group, [&](int64_t c, int count)
                         LITENAT_LAMBDA { store_up_to(load_up_to<V>(y + c, count) * inverse, y + c, count); });
}

template <class V>
void softmax_groups(const float* x, int64_t x_stride, int64_t rows, int64_t groups, int64_t group, float* y,
                    int64_t y_stride) {
  if (group == 0) return;
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t g = 0; g < groups; ++g) softmax<V>(x + m * x_stride + g * group, group, y + m * y_stride + g * group);
  }
}

/// The values x[index[0..count)], -infinity in the lanes beyond.
template <class V>
LITENAT_INLINE V gather(const float* x, const int32_t* index, int count) {
  float lane[16];
  for (int i = 0; i < count; ++i) lane[i] = x[index[i]];
  return load_up_to(lane, count, V::broadcast(-__builtin_inff()));
}

/// `load(i, n)`: the values from i on, -infinity in the lanes from n on.
template <class V, class Load>
LITENAT_INLINE float log_sum_exp_of(int64_t count, float highest, Load load) {
  if (highest - highest != 0.0f) return highest;  // infinite: empty, or the sum is that infinity
  V total = V::broadcast(0.0f);
  for_each_16(count, [&](int64_t i, int n)
                         LITENAT_LAMBDA { total = total + exp_of_nonpositive(load(i, n) - V::broadcast(highest)); });
  const float sum = total.reduce_add();
  if (sum != sum) return sum;
  return static_cast<float>(static_cast<double>(highest) + log_of_positive<V>(sum));
}

template <class V>
float log_sum_exp_gather(const float* x, const int32_t* index, int64_t count) {
  V high = V::broadcast(-__builtin_inff());
  for_each_16(count, [&](int64_t i, int n) LITENAT_LAMBDA { high = V::max(high, gather<V>(x, index + i, n)); });
  return log_sum_exp_of<V>(count, high.reduce_max(),
                           [&](int64_t i, int n) LITENAT_LAMBDA { return gather<V>(x, index + i, n); });
}

template <class V>
float log_sum_exp(const float* x, int64_t count) {
  const V nothing = V::broadcast(-__builtin_inff());
  return log_sum_exp_of<V>(count, largest<V>(x, count),
                           [&](int64_t i, int n) LITENAT_LAMBDA { return load_up_to(x + i, n, nothing); });
}

template <class V>
void max_groups(const float* x, int64_t count, int64_t group, float* y) {
  for (int64_t first = 0; first < count; first += group) {
    *y++ = largest<V>(x + first, count - first < group ? count - first : group);
  }
}

template <class V>
void dot_rows(const float* a, const float* b, int64_t b_stride, int64_t count, int64_t columns, float* s) {
  for (int64_t i = 0; i < count; ++i, b += b_stride) {
    V sum = V::broadcast(0.0f);
    for_each_16(columns, [&](int64_t c, int n)
                             LITENAT_LAMBDA { sum = V::fma(load_up_to<V>(a + c, n), load_up_to<V>(b + c, n), sum); });
    s[i] = sum.reduce_add();
  }
}

}  // namespace litenat::kernels
