//! How the column kernels divide a matrix: a workgroup of 256 takes up to 16 neighbouring columns, so that reads stay
//! contiguous, and deals the rows to the 256 / columns invocations of each column.
//!
//! The split depends on the shape alone: the order of a sum is fixed. Twin of `shaders/lib/columns.wgsl`.

/// Invocations of a workgroup of a column kernel.
pub(crate) const WORKGROUP: u32 = 256;

/// Columns that one workgroup works on.
fn columns(cols: u32) -> u32 {
    cols.clamp(1, 16).next_power_of_two()
}

/// Invocations that share a column.
pub(crate) fn lanes(cols: u32) -> u32 {
    WORKGROUP / columns(cols)
}

/// The override that tells the shader.
pub(crate) fn lanes_override(cols: u32) -> (&'static str, f64) {
    ("LANES", f64::from(lanes(cols)))
}

/// Workgroups that cover `cols` columns.
pub(crate) fn column_groups(cols: u32) -> u64 {
    super::spec::groups(cols as usize, columns(cols) as usize)
}
