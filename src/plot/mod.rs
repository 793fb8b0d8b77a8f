//! Pictures as SVG: charts, several of them on one page, and what pictures elsewhere are drawn with.
//!
//! What a model, a run or a metric shows of itself has a `write_svg` of its own: [`History`](crate::train::History),
//! [`ConfusionMatrix`](crate::metrics::ConfusionMatrix), [`RocCurve`](crate::metrics::RocCurve),
//! [`PrecisionRecallCurve`](crate::metrics::PrecisionRecallCurve),
//! [`CalibrationCurve`](crate::metrics::CalibrationCurve), [`Residuals`](crate::metrics::Residuals),
//! [`Network`](crate::model::Network), [`DecisionBoundary`](crate::model::DecisionBoundary),
//! [`LayerHistograms`](crate::train::LayerHistograms), [`LossSurface`](crate::train::LossSurface),
//! [`Graph`](crate::graph::Graph). A [`Chart`] draws numbers of your own in the same hand. [`dark`] puts any of them on a
//! dark ground.
//!
//! Colours are those of Okabe and Ito, which colour-blind readers tell apart; lines differ in dashes and points in shape
//! as well. A NaN or an infinity is a gap, and a picture of nothing else is an error.

mod axis;
mod chart;
pub(crate) mod contour;
pub(crate) mod layered;
mod page;
pub(crate) mod palette;

pub(crate) use axis::{Axis, drawable};
pub use chart::Chart;
#[cfg(feature = "search")]
pub(crate) use chart::mesh;
pub(crate) use chart::{Field, Interval};
pub use page::Page;
pub use palette::dark;

use crate::{Error, Result};
use palette::TEXT;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

/// A part of a picture.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The picture of `size` pixels that `draw` makes; `what` is drawn.
pub(crate) fn picture(
    what: &str,
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> std::result::Result<(), String>,
) -> Result<String> {
    let mut svg = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&palette::GROUND).map_err(text).and_then(|()| draw(&root)).and_then(|()| root.present().map_err(text))
    };
    drawn.map_err(|problem| Error::Internal(format!("drawing {what}: {problem}")))?;
    Ok(svg)
}

/// Writes a picture to a file.
pub(crate) fn save(path: impl AsRef<Path>, svg: &str) -> Result<()> {
    let path = path.as_ref();
    std::fs::write(path, svg).map_err(|error| Error::file(path, error))
}

pub(crate) fn font(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&TEXT)
}

/// What the drawing library says went wrong.
pub(crate) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
