// Elementary functions, because WGSL's own differ between drivers: tanh overflows to NaN from |x| = 44 up on some, and
// exp and log may be off by many ulp. Each is a Cody-Waite range reduction, a polynomial and a power of two set by its
// bits; fma is written where its single rounding matters.
// The coefficients are minimax fits of relative error (Lawson's iteration in 600 Chebyshev points against mpmath at 40
// digits), rounded to f32. "Max ulp" was measured against f64 over at least 6 million points spread over the whole
// range, with correctly rounded + - * / and fma; a driver's division may add 2.5 ulp. NaN passes through. Results below
// 1.2e-38 may be flushed to 0.
const LOG2_E = 1.44269504f;
const LN2 = 0.69314718f;
const LN2_HIGH = 0.693359375f;     // 10 bits: n * LN2_HIGH is exact
const LN2_LOW = -2.12194440e-4f;
const SQRT_HALF_BITS = 0x3f3504f3u;

// A constant expression may not be infinite or NaN; a variable may.
fn infinity_() -> f32 { var bits = 0x7f800000u; return bitcast<f32>(bits); }
fn nan_() -> f32 { var bits = 0x7fc00000u; return bitcast<f32>(bits); }

// 2^n for n from -126 to 127.
fn power_of_two_(n: i32) -> f32 { return bitcast<f32>(u32(n + 127) << 23u); }

fn copy_sign_(x: f32, sign: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(x) & 0x7fffffffu) | (bitcast<u32>(sign) & 0x80000000u));
}

// Comparisons, unlike min and max, hand NaN on.
fn clamp_(x: f32, low: f32, high: f32) -> f32 { return select(select(x, high, x > high), low, x < low); }

// exp(r) - 1 for |r| <= ln 2 / 2; the fit errs by 2.4e-10.
fn expm1_reduced_(r: f32) -> f32 {
  var p = 1.9845885e-4f;
  p = fma(p, r, 1.3940720e-3f);
  p = fma(p, r, 8.3333896e-3f);
  p = fma(p, r, 4.1666359e-2f);
  p = fma(p, r, 0.16666666f);
  p = fma(p, r, 0.5f);
  return fma(r * r, p, r);
}

// exp(x + low) for |low| far below |x|. Max 0.98 ulp. The power of two is applied in two halves, so that it overflows
// and underflows only where the result does.
fn exp_sum_(x: f32, low: f32) -> f32 {
  let t = clamp_(x, -104.0, 89.0);
  let n = round(t * LOG2_E);
  let r = fma(n, -LN2_HIGH, t) + fma(n, -LN2_LOW, low);
  let k = i32(n);
  let half = k >> 1u;
  return (1.0 + expm1_reduced_(r)) * power_of_two_(half) * power_of_two_(k - half);
}

// exp(x). Max 0.98 ulp.
fn exp_(x: f32) -> f32 { return exp_sum_(x, 0.0); }

// exp(x) - 1. Max 1.43 ulp.
fn expm1_(x: f32) -> f32 {
  if (abs(x) < 1e-8) { return x; }
  let t = clamp_(x, -18.0, 89.0);
  let n = round(t * LOG2_E);
  let e = expm1_reduced_(fma(n, -LN2_LOW, fma(n, -LN2_HIGH, t)));
  if (n == 0.0) { return e; }
  let s = power_of_two_(i32(n) - 1);  // half of 2^n, which itself may overflow
  return 2.0 * fma(s, e, s - 0.5);
}

// log(1 + f) for f from sqrt(1/2) - 1 to sqrt(2) - 1; the fit errs by 7.6e-10.
fn log1p_reduced_(f: f32) -> f32 {
  var p = 6.7520991e-2f;
  p = fma(p, f, -0.11684982f);
  p = fma(p, f, 0.11890835f);
  p = fma(p, f, -0.12404341f);
  p = fma(p, f, 0.14219055f);
  p = fma(p, f, -0.16668043f);
  p = fma(p, f, 0.20002143f);
  p = fma(p, f, -0.25000009f);
  p = fma(p, f, 0.33333313f);
  return f + f * f * fma(f, p, -0.5f);
}

// log(x): -infinity at 0, NaN below. Max 0.86 ulp.
fn log_(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) { return -infinity_(); }
  if (bits >= 0x80000000u) { return nan_(); }
  if (bits >= 0x7f800000u) { return x; }
  let tiny = bits < 0x00800000u;
  let offset = bitcast<u32>(select(x, x * 8388608.0, tiny)) - SQRT_HALF_BITS;
  let k = (i32(offset) >> 23u) - select(0, 23, tiny);
  let m = bitcast<f32>((offset & 0x007fffffu) + SQRT_HALF_BITS);
  return fma(f32(k), LN2, log1p_reduced_(m - 1.0));
}

// log(1 + x): -infinity at -1, NaN below. Max 1.48 ulp. What 1 + x lost in rounding is added to the reduced argument.
fn log1p_(x: f32) -> f32 {
  let u = 1.0 + x;
  let bits = bitcast<u32>(u);
  if (bits == 0u) { return -infinity_(); }
  if (bits >= 0x80000000u) { return nan_(); }
  if (bits >= 0x7f800000u) { return u; }
  let offset = bits - SQRT_HALF_BITS;
  let k = i32(offset) >> 23u;
  if (k == 0) { return log1p_reduced_(x); }
  let m = bitcast<f32>((offset & 0x007fffffu) + SQRT_HALF_BITS);
  let lost = select(x - (u - 1.0), 1.0 - (u - x), x >= 1.0);
  return fma(f32(k), LN2, log1p_reduced_(fma(lost, power_of_two_(min(-k, 127)), m - 1.0)));
}

// tanh(x). Max 1.31 ulp. Near 0 an odd polynomial (the fit errs by 4.4e-9), beyond 1 - 2 / (exp(2|x|) + 1).
fn tanh_(x: f32) -> f32 {
  let a = abs(x);
  let q = a * a;
  var p = -5.7042264e-3f;
  p = fma(p, q, 2.0638434e-2f);
  p = fma(p, q, -5.3739525e-2f);
  p = fma(p, q, 0.13331440f);
  p = fma(p, q, -0.33333281f);
  let far = 1.0 - 2.0 / (exp_(2.0 * a) + 1.0);
  return copy_sign_(select(far, fma(a * q, p, a), a < 0.625), x);
}

// 1 / (1 + exp(-x)). Max 1.94 ulp. Only exp(-|x|) is taken, which cannot overflow; the last line makes good what
// 1 + z lost in rounding.
fn sigmoid_(x: f32) -> f32 {
  let z = exp_(-abs(x));
  let d = 1.0 + z;
  let y = select(1.0, z, x < 0.0) / d;
  return fma(-y, (z - (d - 1.0)) * (1.0 - 0.5 * z), y);
}

// log(1 + exp(x)). Max 1.68 ulp.
fn softplus_(x: f32) -> f32 { return max(x, 0.0) + log1p_(exp_(-abs(x))); }

// exp(-x^2 / 2). Max 0.99 ulp: what x * x lost in rounding goes into the exponential.
fn gauss_(x: f32) -> f32 {
  let a = clamp_(abs(x), 0.0, 14.5);
  let square = a * a;
  return exp_sum_(-0.5 * square, -0.5 * fma(a, a, -square));
}

// The part of the normal distribution beyond a, over exp(-a^2 / 2), for a >= 0: a polynomial in (a - 3) / (a + 3),
// divided by 1 + a; the fit errs by 5.7e-9.
fn mills_(a: f32) -> f32 {
  let t = (a - 3.0) / (a + 3.0);
  var p = 4.7205136e-5f;
  p = fma(p, t, 1.3695692e-5f);
  p = fma(p, t, -4.6921556e-4f);
  p = fma(p, t, -3.4158368e-4f);
  p = fma(p, t, 2.9903806e-3f);
  p = fma(p, t, 1.1554160e-3f);
  p = fma(p, t, -2.2726426e-2f);
  p = fma(p, t, 4.5164611e-2f);
  p = fma(p, t, -1.6432380e-2f);
  p = fma(p, t, -9.6526779e-2f);
  p = fma(p, t, 0.48605579f);
  return p / (1.0 + a);
}

// The normal distribution function, erfc(-x / sqrt(2)) / 2, without the rounding of x / sqrt(2) that erfc would magnify
// in the tail. Max 3.71 ulp, in the tail too.
fn normal_cdf_(x: f32) -> f32 {
  let a = clamp_(abs(x), 0.0, 14.5);
  let tail = gauss_(a) * mills_(a);
  return select(1.0 - tail, tail, x < 0.0);
}

// x less the nearest multiple of pi / 2 in .x, and the last two bits of that multiple in .y. Pi / 2 in three parts; of large
// x the first multiple may be one off, which a second step makes good. Beyond 2^24 multiples what is left is some number in
// range, as an argument of 24 bits says no more.
fn quarter_turns_(x: f32) -> vec2<f32> {
  let n = round(x * 0.63661977f);
  let far = fma(n, 1.7151245e-15f, fma(n, 4.3711390e-8f, fma(n, -1.5707964f, x)));
  let m = round(far * 0.63661977f);
  let r = fma(m, 4.3711390e-8f, fma(m, -1.5707964f, far));
  return vec2<f32>(clamp_(r, -0.8, 0.8), f32((i32(clamp_(n, -2e9, 2e9)) + i32(clamp_(m, -4.0, 4.0))) & 3));
}

// sin(r) if the second number is even, else cos(r); negative from 2 on.
fn of_quarter_(r: f32, quarter: f32) -> f32 {
  let q = r * r;
  let sine = fma(r * q, fma(q, fma(q, -1.9515296e-4f, 8.3321609e-3f), -0.16666655f), r);
  let cosine = fma(q * q, fma(q, fma(q, 2.4433157e-5f, -1.3887316e-3f), 4.1666646e-2f), fma(q, -0.5f, 1.0));
  let size = select(sine, cosine, quarter == 1.0 || quarter == 3.0);
  return select(size, -size, quarter >= 2.0);
}

// sin(x). Max 1.61 ulp up to 1e5, beyond that what an argument 2 ulp away is off.
fn sin_(x: f32) -> f32 { let t = quarter_turns_(x); return of_quarter_(t.x, t.y); }

// cos(x), a quarter turn ahead. Max 1.56 ulp up to there.
fn cos_(x: f32) -> f32 { let t = quarter_turns_(x); return of_quarter_(t.x, select(t.y + 1.0, 0.0, t.y == 3.0)); }

// x^y as in C. The rounding of y log(x) counts as many times as that is large.
fn pow_(x: f32, y: f32) -> f32 {
  if (y == 0.0 || x == 1.0) { return 1.0; }
  let size = exp_(y * log_(abs(x)));
  if (!(x < 0.0)) { return size; }
  if (floor(y) != y) { return nan_(); }
  return select(size, -size, abs(y) < 1.6777216e7 && (i32(clamp_(y, -1.6777216e7, 1.6777216e7)) & 1) == 1);
}
