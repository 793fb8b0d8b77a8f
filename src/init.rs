//! Initializers of parameters. The numbers come from the counter-based generator of [`crate::random`], so they
//! are the same on every device and do not depend on the order in which layers are filled.

use crate::random::{stream_key, threefry2x32};
use crate::{Error, Result, size};

/// How a parameter of shape `(fan_in, fan_out)` starts.
///
/// | name | distribution | for |
/// |---|---|---|
/// | `GlorotUniform` | uniform in ±√(6 / (fan_in + fan_out)) | sigmoid, tanh, softmax (Glorot & Bengio 2010); the default |
/// | `GlorotNormal` | normal, σ² = 2 / (fan_in + fan_out) | the same |
/// | `HeUniform` | uniform in ±√(6 / fan_in) | relu and its relatives (He et al. 2015) |
/// | `HeNormal` | normal, σ² = 2 / fan_in | the same |
/// | `LecunUniform` | uniform in ±√(3 / fan_in) | selu (LeCun et al. 1998) |
/// | `LecunNormal` | normal, σ² = 1 / fan_in | the same |
/// | `Uniform(a)` | uniform in ±a | embeddings |
/// | `Normal(s)` | normal, σ = s | the same |
/// | `Zeros` | 0 | biases |
/// | `Constant(c)` | c | |
///
/// The normals are not truncated.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the table above has each distribution")]
pub enum Initializer {
    GlorotUniform,
    GlorotNormal,
    HeUniform,
    HeNormal,
    LecunUniform,
    LecunNormal,
    Uniform(f32),
    Normal(f32),
    Zeros,
    Constant(f32),
}

/// Streams of random numbers: initial weights use these, dropout layers count from 0.
const INIT_STREAM: u32 = 0x8000_0000;

impl Initializer {
    /// `rows · cols` numbers for parameter number `index` of a model with seed `seed`, row-major.
    ///
    /// # Errors
    /// [`Error::Value`] for a constant that is not finite, and a limit or deviation that is not positive either;
    /// [`Error::TooLarge`] for more numbers than kernels can count.
    ///
    /// ```
    /// use axone::Initializer;
    ///
    /// let w = Initializer::HeNormal.sample("dense_1.w", 300, 100, 42, 0)?;
    /// let variance = w.iter().map(|w| f64::from(w * w)).sum::<f64>() / 30_000.0;
    /// assert!((variance / (2.0 / 300.0) - 1.0).abs() < 0.05);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn sample(self, name: &str, rows: usize, cols: usize, seed: u64, index: u32) -> Result<Vec<f32>> {
        let (fan_in, fan_out) = (rows as f64, cols as f64);
        let n = rows.saturating_mul(cols);
        self.check(name)?;
        size::check(|| name.to_owned(), n)?;
        let key = stream_key(seed, INIT_STREAM + index, 0);
        let uniform = |limit: f64| (0..n).map(|i| ((2.0 * fraction(key, i)[0] - 1.0) * limit) as f32).collect();
        let normal = |variance: f64| (0..n).map(|i| (box_muller(fraction(key, i)) * variance.sqrt()) as f32).collect();
        Ok(match self {
            Initializer::GlorotUniform => uniform((6.0 / (fan_in + fan_out)).sqrt()),
            Initializer::GlorotNormal => normal(2.0 / (fan_in + fan_out)),
            Initializer::HeUniform => uniform((6.0 / fan_in).sqrt()),
            Initializer::HeNormal => normal(2.0 / fan_in),
            Initializer::LecunUniform => uniform((3.0 / fan_in).sqrt()),
            Initializer::LecunNormal => normal(1.0 / fan_in),
            Initializer::Uniform(limit) => uniform(limit.into()),
            Initializer::Normal(deviation) => normal(f64::from(deviation).powi(2)),
            Initializer::Zeros => vec![0.0; n],
            Initializer::Constant(value) => vec![value; n],
        })
    }

    /// Refuses numbers out of range, for the parameter `name`.
    pub(crate) fn check(self, name: &str) -> Result<()> {
        let (what, expected, value, fits) = match self {
            Initializer::Uniform(limit) => ("limit", "positive and finite", limit, limit > 0.0),
            Initializer::Normal(deviation) => ("deviation", "positive and finite", deviation, deviation > 0.0),
            Initializer::Constant(value) => ("constant", "finite", value, true),
            _ => return Ok(()),
        };
        if fits && value.is_finite() { Ok(()) } else { Err(Error::value(name, what, expected, value)) }
    }
}

/// Two numbers strictly between 0 and 1 for element `i`.
fn fraction(key: [u32; 2], i: usize) -> [f64; 2] {
    let bits = threefry2x32(key, [i as u32, (i as u64 >> 32) as u32]);
    bits.map(|bits| (f64::from(bits) + 0.5) / 4_294_967_296.0)
}

/// A standard normal number from two uniform ones (Box & Muller 1958).
fn box_muller([u, v]: [f64; 2]) -> f64 {
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}
