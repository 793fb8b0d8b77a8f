//! How the row kernels divide a matrix: 64 invocations share 64 / lanes rows, `lanes` to a row.
//!
//! `lanes` depends on the number of columns alone, so the order of a row's sum, and with it every bit
//! of it, is the same for any number of rows. Twin of `shaders/lib/rows.wgsl`.

/// Invocations of a workgroup of a row kernel.
pub(crate) const WORKGROUP: u32 = 64;

/// Invocations that share one row.
pub(crate) fn lanes(cols: u32) -> u32 {
    match cols {
        0..=32 => 1,
        33..=256 => 8,
        _ => WORKGROUP,
    }
}

/// The override that tells the shader.
pub(crate) fn lanes_override(cols: u32) -> (&'static str, f64) {
    ("LANES", f64::from(lanes(cols)))
}

/// Workgroups that cover `rows` rows.
pub(crate) fn row_groups(rows: u32, cols: u32) -> u64 {
    super::spec::groups(rows as usize, (WORKGROUP / lanes(cols)) as usize)
}
