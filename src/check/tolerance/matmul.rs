//! The matrix product with its epilogues.
//!
//! Cooperative matrices take f16: an operand that is f32 is rounded on the way, either way by up to 2⁻¹⁰ of it (or
//! 2⁻²⁴, below the smallest normal f16). Their units may cut off instead of rounding, and in any order: such errors do not
//! average out, so a sum of n terms is allowed `2 n u Σ abs(term)`.

use super::{HALF_ULP, SMALLEST_HALF, U, ULP, absolute, forward, grad_kernel, gradient, run_f64, sum_bound};
use crate::Result;
use crate::kernels::{Epilogue, Kernel, Matmul, Tile};

pub(super) fn matmul(p: &Matmul, a: &[f64], b: &[f64], extra: Option<&Vec<f64>>, y: &[f64]) -> Result<Vec<f64>> {
    let (n, k) = (p.params.n as usize, p.params.k as usize);
    let plain = Matmul { epilogue: Epilogue::Plain, ..p.clone() };
    let of_its_own_size = matches!(p.epilogue, Epilogue::BiasRow { .. } | Epilogue::InParts { .. });
    let shape = if of_its_own_size { p.clone() } else { plain.clone() };
    let size = run_f64(&Kernel::Matmul(shape.clone()), &[absolute(a), absolute(b)], y.len())?;
    let terms = k.min(p.params.part as usize);
    let sum: Vec<f64> = if p.tile.is_some_and(Tile::is_cooperative) {
        let tiny = vec![1.0; a.len().max(b.len())];
        let of_its_own =
            |a: &[f64], b: &[f64]| run_f64(&Kernel::Matmul(shape.clone()), &[a.to_vec(), b.to_vec()], y.len());
        let (lost_a, lost_b) =
            (of_its_own(&tiny[..a.len()], &absolute(b))?, of_its_own(&absolute(a), &tiny[..b.len()])?);
        let lost = lost_a.iter().zip(&lost_b).map(|(a, b)| SMALLEST_HALF * (a + b));
        let rounded = 2.0 * HALF_ULP + HALF_ULP * HALF_ULP + 2.0 * terms as f64 * U;
        size.iter().zip(lost).map(|(size, lost)| rounded * size + lost).collect()
    } else {
        size.iter().map(|size| sum_bound(terms, *size)).collect()
    };
    let Some(extra) = extra else { return Ok(sum) };
    let product = run_f64(&Kernel::Matmul(plain), &[a.to_vec(), b.to_vec()], y.len())?;
    Ok(match p.epilogue {
        Epilogue::Bias(f) => {
            let z: Vec<f64> = product.iter().enumerate().map(|(i, sum)| sum + extra[i % n]).collect();
            let function = forward(f, &z)?;
            let slope = f.lipschitz();
            sum.iter().zip(&z).zip(function).map(|((sum, z), own)| slope * (sum + ULP * z.abs()) + own).collect()
        }
        Epilogue::Gradient(f) => {
            let one = run_f64(&grad_kernel(f, extra.len()), &[extra.clone(), vec![1.0; extra.len()]], extra.len())?;
            let own = gradient(f, extra)?;
            let terms = sum.iter().zip(&product).zip(one.iter().zip(&own));
            terms.map(|((sum, dy), (slope, own))| slope.abs() * sum + dy.abs() * (own + ULP * slope.abs())).collect()
        }
        Epilogue::Plain | Epilogue::BiasRow { .. } | Epilogue::InParts { .. } => sum,
    })
}
