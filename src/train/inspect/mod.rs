//! A model looked into: what its layers hold, and the loss around its weights.

mod histograms;
mod path;
mod principal;
mod surface;

pub use histograms::LayerHistograms;
pub use path::WeightPath;
pub use surface::LossSurface;
