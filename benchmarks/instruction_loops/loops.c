/* The loops of int8 operators as TFLite Micro's reference kernels and CMSIS-NN define their results, written
   anew for counting instructions. Fixed point as gemmlowp has it: exp on negatives by a Taylor polynomial and
   a table of seven factors, the reciprocal by three Newton steps. */
#include <math.h>
#include <stdint.h>
#include <string.h>

static inline int32_t high_product(int32_t a, int32_t b) {
  if (a == b && a == INT32_MIN) return INT32_MAX;
  int64_t product = (int64_t)a * b;
  int64_t half = product >= 0 ? 1 << 30 : 1 - (1 << 30);
  return (int32_t)((product + half) / (1LL << 31));
}

static inline int32_t shifted_right(int32_t value, int bits) {
  int32_t mask = (1 << bits) - 1, rest = value & mask, threshold = mask >> 1;
  value >>= bits;
  if (value < 0) threshold++;
  if (rest > threshold) value++;
  return value;
}

static inline int32_t rescaled(int32_t value, int32_t factor, int32_t shift) {
  int left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
  int64_t product = (int64_t)(value * (1 << left)) * factor + (1LL << 30);
  return shifted_right((int32_t)(product >> 31), right);
}

static inline int8_t clamped(int32_t value, int32_t low, int32_t high) {
  if (value < low) value = low;
  if (value > high) value = high;
  return (int8_t)value;
}

void add(const int8_t *a, const int8_t *b, int8_t *y, int n, int32_t zero_a, int32_t factor_a, int32_t shift_a,
         int32_t zero_b, int32_t factor_b, int32_t shift_b, int32_t left, int32_t zero, int32_t factor,
         int32_t shift, int32_t low, int32_t high) {
  for (int i = 0; i < n; i++) {
    int32_t p = rescaled((a[i] + zero_a) << left, factor_a, shift_a);
    int32_t q = rescaled((b[i] + zero_b) << left, factor_b, shift_b);
    y[i] = clamped(rescaled(p + q, factor, shift) + zero, low, high);
  }
}

void mul(const int8_t *a, const int8_t *b, int8_t *y, int n, int32_t zero_a, int32_t zero_b, int32_t zero,
         int32_t factor, int32_t shift, int32_t low, int32_t high) {
  for (int i = 0; i < n; i++)
    y[i] = clamped(rescaled((a[i] + zero_a) * (b[i] + zero_b), factor, shift) + zero, low, high);
}

typedef struct {
  int32_t size[4], stride_a[4], stride_b[4];
} Broadcast;

static inline int32_t place(const int32_t *stride, int i, int j, int k, int l) {
  return i * stride[0] + j * stride[1] + k * stride[2] + l * stride[3];
}

void mul_broadcast(const int8_t *a, const int8_t *b, int8_t *y, const Broadcast *shape, int32_t zero_a,
                   int32_t zero_b, int32_t zero, int32_t factor, int32_t shift, int32_t low, int32_t high) {
  const int32_t *size = shape->size;
  for (int i = 0; i < size[0]; i++)
    for (int j = 0; j < size[1]; j++)
      for (int k = 0; k < size[2]; k++)
        for (int l = 0; l < size[3]; l++) {
          int32_t p = a[place(shape->stride_a, i, j, k, l)] + zero_a;
          int32_t q = b[place(shape->stride_b, i, j, k, l)] + zero_b;
          y[((i * size[1] + j) * size[2] + k) * size[3] + l] = clamped(rescaled(p * q, factor, shift) + zero, low, high);
        }
}

void add_broadcast(const int8_t *a, const int8_t *b, int8_t *y, const Broadcast *shape, int32_t zero_a,
                   int32_t factor_a, int32_t shift_a, int32_t zero_b, int32_t factor_b, int32_t shift_b,
                   int32_t left, int32_t zero, int32_t factor, int32_t shift, int32_t low, int32_t high) {
  const int32_t *size = shape->size;
  for (int i = 0; i < size[0]; i++)
    for (int j = 0; j < size[1]; j++)
      for (int k = 0; k < size[2]; k++)
        for (int l = 0; l < size[3]; l++) {
          int32_t p = rescaled((a[place(shape->stride_a, i, j, k, l)] + zero_a) << left, factor_a, shift_a);
          int32_t q = rescaled((b[place(shape->stride_b, i, j, k, l)] + zero_b) << left, factor_b, shift_b);
          y[((i * size[1] + j) * size[2] + k) * size[3] + l] = clamped(rescaled(p + q, factor, shift) + zero, low, high);
        }
}

static inline int16_t high_product16(int16_t a, int16_t b) {
  if (a == b && a == INT16_MIN) return INT16_MAX;
  int32_t product = (int32_t)a * b;
  int32_t half = product >= 0 ? 1 << 14 : 1 - (1 << 14);
  return (int16_t)((product + half) / (1 << 15));
}

static inline int16_t saturated16(int32_t value) {
  return (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

void hard_swish(const int8_t *x, int8_t *y, int n, int16_t zero_x, int16_t zero, int16_t factor, int shift,
                int16_t gate_factor, int gate_shift) {
  for (int i = 0; i < n; i++) {
    int16_t value = (int16_t)((x[i] - zero_x) << 7), gate = value;
    int16_t scaled = high_product16(value, factor);
    if (gate_shift > 0) gate = saturated16(gate << (gate_shift - 1));
    gate = high_product16(gate, gate_factor);
    if (gate_shift > 0) gate = saturated16(gate << 1);
    if (gate_shift < 0) gate = (int16_t)shifted_right(gate, -gate_shift);
    gate = (int16_t)((gate + (1 << 15)) >> 1);
    y[i] = clamped(shifted_right(high_product16(gate, scaled), -shift) + zero, -128, 127);
  }
}

void relu(const int8_t *x, int8_t *y, int n, int32_t zero_x, int32_t zero, int32_t factor, int32_t shift,
          int32_t low, int32_t high) {
  for (int i = 0; i < n; i++) y[i] = clamped(zero + rescaled(x[i] - zero_x, factor, shift), low, high);
}

void relu6(const int8_t *x, int8_t *y, int n, int8_t low, int8_t high) {
  for (int i = 0; i < n; i++) y[i] = x[i] > high ? high : x[i] < low ? low : x[i];
}

void quantize(const float *x, int n, float scale, int zero, int8_t *y) {
  for (int i = 0; i < n; i++) y[i] = clamped((int32_t)roundf(x[i] / scale) + zero, -128, 127);
}

void dequantize(const int8_t *x, int n, double scale, int zero, float *y) {
  for (int i = 0; i < n; i++) y[i] = (float)(scale * (x[i] - zero));
}

void copy(const int8_t *x, int n, int8_t *y) { memcpy(y, x, n); }

void fill(int8_t *y, int value, int n) { memset(y, value, n); }

static int32_t exp_of_negative(int32_t value) {
  static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  int32_t fraction = (value & ((1 << 24) - 1)) - (1 << 24), rest = fraction - value;
  int32_t x = (fraction << 5) + (1 << 28), x2 = high_product(x, x);
  int32_t x4 = shifted_right(high_product(x2, x2), 2), x3 = high_product(x2, x);
  int32_t series = shifted_right(high_product(x4 + x3, 715827883) + x2, 1);
  int32_t result = 1895147668 + high_product(1895147668, x + series);
#pragma GCC unroll 7
  for (int i = 0; i < 7; i++) {
    int32_t mask = rest & (1 << (24 + i)) ? -1 : 0;
    result = (mask & high_product(result, factors[i])) | (~mask & result);
  }
  return value == 0 ? INT32_MAX : result;
}

static int32_t reciprocal(int32_t value) {
  int64_t sum = (int64_t)value + INT32_MAX;
  int32_t half = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
  int32_t x = 1515870810 + high_product(half, -1010580540);
#pragma GCC unroll 3
  for (int i = 0; i < 3; i++) x += high_product(x, (1 << 29) - high_product(half, x)) * 4;
  return x * 2;
}

void softmax(const int8_t *x, int rows, int n, int32_t factor, int32_t shift, int32_t least, int8_t *y) {
  for (int row = 0; row < rows; row++, x += n, y += n) {
    int8_t largest = x[0];
    for (int i = 1; i < n; i++)
      if (x[i] > largest) largest = x[i];
    int32_t sum = 0;
    for (int i = 0; i < n; i++) {
      int32_t below = x[i] - largest;
      if (below >= least) sum += shifted_right(exp_of_negative(high_product(below * (1 << shift), factor)), 12);
    }
    int headroom = __builtin_clz(sum);
    int32_t scale = reciprocal((sum << headroom) - (1 << 31));
    for (int i = 0; i < n; i++) {
      int32_t below = x[i] - largest;
      int32_t share = exp_of_negative(high_product(below * (1 << shift), factor));
      y[i] = below < least ? -128 : clamped(shifted_right(high_product(scale, share), 35 - headroom) - 128, -128, 127);
    }
  }
}

void transpose(const int8_t *x, int8_t *y, const int32_t *size, const int32_t *stride) {
  for (int a = 0; a < size[0]; a++)
    for (int b = 0; b < size[1]; b++)
      for (int c = 0; c < size[2]; c++)
        for (int d = 0; d < size[3]; d++)
          y[((a * size[1] + b) * size[2] + c) * size[3] + d] =
              x[a * stride[0] + b * stride[1] + c * stride[2] + d * stride[3]];
}

void nearest(const int8_t *x, int8_t *y, int h, int w, int channels, int out_h, int out_w) {
  for (int i = 0; i < out_h; i++) {
    int row = (int)floorf((float)i * ((float)h / (float)out_h));
    row = row > h - 1 ? h - 1 : row;
    for (int j = 0; j < out_w; j++, y += channels) {
      int column = (int)floorf((float)j * ((float)w / (float)out_w));
      column = column > w - 1 ? w - 1 : column;
      memcpy(y, x + (row * w + column) * channels, channels);
    }
  }
}

void _start(void) {}
