//! Pages: charts beside and below each other.

use super::{Chart, font, picture, save, text};
use crate::{Error, Result};
use plotters::element::Text;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

/// The height of a title.
const TITLE: u32 = 36;

/// Charts in rows. Each takes the room of the largest.
///
/// ```
/// use axone::plot::{Chart, Page};
///
/// let chart = |slope: f64| {
///     Chart::new(format!("slope {slope}")).size(300, 220).line("", (0..5).map(move |x| (f64::from(x), slope * f64::from(x))))
/// };
/// let page = Page::new("lines", [chart(1.0), chart(2.0), chart(3.0)]).columns(2);
/// assert!(page.to_svg()?.contains("slope 3"));
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    title: String,
    charts: Vec<Chart>,
    columns: usize,
}

impl Page {
    /// `charts` under a title, which may be empty; all in one row, unless [`columns`](Self::columns) says otherwise.
    pub fn new(title: impl Into<String>, charts: impl IntoIterator<Item = Chart>) -> Self {
        let charts: Vec<Chart> = charts.into_iter().collect();
        Self { title: title.into(), columns: charts.len(), charts }
    }

    /// How many stand beside each other.
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = columns;
        self
    }

    /// Writes it as an SVG picture.
    ///
    /// # Errors
    /// [`Error::Data`] for a page without charts; [`Error::Value`] for no columns; else as
    /// [`Chart::write_svg`], naming the chart.
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path, &self.to_svg()?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// As there, but for the file.
    pub fn to_svg(&self) -> Result<String> {
        if self.charts.is_empty() {
            return Err(Error::data(format!("page \"{}\"", self.title), "no charts to draw"));
        }
        if self.columns == 0 {
            return Err(Error::value(format!("page \"{}\"", self.title), "columns", "at least 1", 0));
        }
        self.charts.iter().try_for_each(Chart::check)?;
        let largest = self.charts.iter().map(Chart::pixels).fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let columns = self.columns.min(self.charts.len());
        let rows = self.charts.len().div_ceil(columns);
        let above = if self.title.is_empty() { 0 } else { TITLE };
        let size = (largest.0 * columns as u32, largest.1 * rows as u32 + above);
        picture("a page", size, |root| {
            let (title, charts) = root.split_vertically(above);
            if above > 0 {
                let middle = (size.0 as i32 / 2, TITLE as i32 / 2 + 4);
                let style = font(21).pos(Pos::new(HPos::Center, VPos::Center));
                title.draw(&Text::new(self.title.clone(), middle, style)).map_err(text)?;
            }
            charts.split_evenly((rows, columns)).iter().zip(&self.charts).try_for_each(|(area, chart)| chart.draw(area))
        })
    }
}
