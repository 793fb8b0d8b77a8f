//! The matrix product with its epilogues.

use super::{ULP, absolute, forward, grad_kernel, gradient, run_f64, sum_bound};
use crate::Result;
use crate::kernels::{Epilogue, Kernel, Matmul};

pub(super) fn matmul(p: &Matmul, a: &[f64], b: &[f64], extra: Option<&Vec<f64>>, y: &[f64]) -> Result<Vec<f64>> {
    let (n, k) = (p.params.n as usize, p.params.k as usize);
    let plain = Matmul { epilogue: Epilogue::Plain, ..p.clone() };
    let of_its_own_size = matches!(p.epilogue, Epilogue::BiasRow { .. } | Epilogue::InParts { .. });
    let same_size = if of_its_own_size { p.clone() } else { plain.clone() };
    let size = run_f64(&Kernel::Matmul(same_size), &[absolute(a), absolute(b)], y.len())?;
    let terms = k.min(p.params.part as usize);
    let sum: Vec<f64> = size.iter().map(|size| sum_bound(terms, *size)).collect();
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
