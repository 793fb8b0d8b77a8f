//! `softmax` and `log_softmax` of each row, and their gradients from the output.
//!
//! All four subtract the row maximum first, so no exponential overflows: with `m = max_c z_c`,
//! `softmax = exp(z - m) / Σ exp(z - m)` and `log_softmax = (z - m) - log Σ exp(z - m)`.
//! The gradients need the output alone: `dx = y (dy - Σ y dy)` and `dx = dy - exp(y) Σ dy`.

use super::rows::{WORKGROUP, lanes_override, row_groups};
use super::spec::{Binding, Entry, Shader, Spec, cells, params};

macro_rules! row_kernel {
    ($(#[$meta:meta])* $name:ident, $shader:ident, $file:literal, $entry:expr, $flops:literal) => {
        params! {
            $(#[$meta])*
            pub struct $name {
                /// Rows.
                rows: u32,
                /// Columns: the elements over which one softmax runs.
                cols: u32,
            }
        }

        #[doc = concat!("`shaders/", $file, ".wgsl`.")]
        pub const $shader: Shader = Shader {
            name: $file,
            sources: &[
                include_str!("../../shaders/lib/math.wgsl"),
                include_str!("../../shaders/lib/rows.wgsl"),
                include_str!(concat!("../../shaders/", $file, ".wgsl")),
            ],
            params: $name::MEMBERS,
            overrides: &["LANES"],
            workgroup_size: WORKGROUP,
            uses_step: false,
            entries: &[$entry],
        };

        impl Spec for $name {
            fn params(&self) -> &[u8] {
                bytemuck::bytes_of(self)
            }

            fn overrides(&self) -> Vec<(&'static str, f64)> {
                vec![lanes_override(self.cols)]
            }

            fn workgroups(&self) -> u64 {
                row_groups(self.rows, self.cols)
            }

            fn sizes(&self) -> Vec<usize> {
                vec![self.rows as usize * self.cols as usize; $shader.entries[0].bindings.len()]
            }

            fn flops(&self) -> u64 {
                $flops * cells(self.rows, self.cols)
            }
        }
    };
}

const FORWARD: Entry = Entry { name: "main", bindings: &[Binding::read(1, "x"), Binding::write(2, "y")] };
const BACKWARD: Entry =
    Entry { name: "main", bindings: &[Binding::read(1, "y"), Binding::read(2, "dy"), Binding::write(3, "dx")] };

// Maximum, difference, exp, sum; then a quotient, or a difference from the logarithm of the sum. Back: a dot product, a
// difference, a product; a sum, exp, a product, a difference.
row_kernel!(
    /// `y = exp(x) / Σ exp(x)` by rows.
    Softmax, SHADER, "softmax", FORWARD, 5
);
row_kernel!(
    /// `dx = y (dy - Σ y dy)` by rows, `y` the softmax.
    SoftmaxGrad, GRAD_SHADER, "softmax_grad", BACKWARD, 4
);
row_kernel!(
    /// `y = x - log Σ exp(x)` by rows.
    LogSoftmax, LOG_SHADER, "log_softmax", FORWARD, 5
);
row_kernel!(
    /// `dx = dy - exp(y) Σ dy` by rows, `y` the log-softmax.
    LogSoftmaxGrad, LOG_GRAD_SHADER, "log_softmax_grad", BACKWARD, 4
);
