//! Tiles of the matrix product agree bit for bit, so that a tuner may choose any of them: each output is one chain of
//! fma in the order k = 0, 1, 2, ….

use crate::need_device;
use axone::Error;
use axone::check::{Case, matmul_cases, run_case};
use axone::kernels::{Epilogue, Halves, Kernel, Matmul, Tile};

/// Bits of what `case` writes with `tile`; `None` where the device or the tile cannot run it.
fn bits(device: &axone::Device, case: &Case, tile: Option<Tile>) -> Option<Vec<Vec<u32>>> {
    let Kernel::Matmul(matmul) = &case.kernel else { panic!("{} is no matrix product", case.name) };
    if !tile.is_none_or(|tile| tile.takes(&matmul.params)) {
        return None;
    }
    let case = Case { kernel: Kernel::Matmul(Matmul { tile, ..matmul.clone() }), ..case.clone() };
    match run_case(&mut *device.executor(), &case) {
        Ok(result) => Some(result.unwrap().iter().map(|y| y.iter().map(|x| x.to_bits()).collect()).collect()),
        Err(Error::Unsupported { what, device }) => {
            println!("SKIPPED {}: {device} cannot run {what}", case.name);
            None
        }
        Err(error) => panic!("{}: {error}", case.name),
    }
}

/// Every size and form, with the epilogues that the check runs on every tile.
fn cases() -> impl Iterator<Item = Case> {
    matmul_cases().into_iter().filter(|case| {
        let Kernel::Matmul(matmul) = &case.kernel else { return false };
        // Those of a mixture and those of an activation leave the tile open: a pipeline for each would take minutes.
        matmul.tile == Some(Tile::Small)
    })
}

#[test]
fn tiles_agree_bit_for_bit() {
    let device = need_device!();
    let mut compared = 0;
    for case in cases() {
        let expected = bits(&device, &case, Some(Tile::Small)).expect("the smallest tile runs everywhere");
        // The device's own choice for f16 may be cooperative matrices, whose bits are their own.
        let choice = (case.halves == Halves::NONE).then_some(None);
        for tile in Tile::ALL.into_iter().map(Some).chain(choice) {
            if let Some(got) = bits(&device, &case, tile) {
                assert_eq!(got, expected, "{} with tile {tile:?}", case.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "only {compared} comparisons");
}

/// Infinity and NaN stay in the rows and columns that they belong to: what lies past the last row, column or k is 0 on
/// both sides, or never stored.
#[test]
fn infinities_stay_in_their_rows() {
    let device = need_device!();
    for mut case in cases().filter(|case| case.reads[0].len() > 4) {
        let Kernel::Matmul(matmul) = &case.kernel else { continue };
        let (p, transposed) = (matmul.params, matmul.transpose_a);
        if !matches!(matmul.epilogue, Epilogue::Plain) {
            continue;
        }
        let (m, k, n) = (p.m as usize, p.k as usize, p.n as usize);
        let (row, last) = (m / 2, k - 1);
        case.reads[0][if transposed { last * m + row } else { row * k + last }] = f32::INFINITY;
        for tile in Tile::ALL {
            let Some(got) = bits(&device, &case, Some(tile)) else { continue };
            for (i, y) in got[0].iter().map(|bits| f32::from_bits(*bits)).enumerate() {
                assert_eq!(y.is_finite(), i / n != row, "{} {tile:?}: row {} has {y}", case.name, i / n);
            }
        }
    }
}
