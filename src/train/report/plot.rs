//! The curves of a history as an SVG picture: losses on the left, the first metric on the right.
//!
//! Training is a blue solid line, validation an orange dashed one: the pair stays apart for colour-blind readers and in
//! print. A NaN or an infinity is a gap.

use crate::plot::palette::{BLUE, ORANGE};
use crate::plot::{Chart, Page, drawable, save};
use crate::train::report::History;
use crate::{Error, Result};
use std::path::Path;

const SIZE: (u32, u32) = (1040, 420);

impl History {
    /// Writes the curves as an SVG picture of two panels: `loss` with `val_loss`, and the first metric with its
    /// validation curve. Without a metric the losses take the whole width. Needs the feature `plot`.
    ///
    /// # Errors
    /// [`Error::Data`] for a history without values, or of NaN and infinity alone; [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// use axone::train::{Epoch, History};
    /// # fn main() -> axone::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("axone-doc-{}.svg", std::process::id()));
    /// let values = vec![("loss".into(), 0.5), ("accuracy".into(), 0.9)];
    /// let epochs = vec![Epoch { epoch: 1, seconds: 0.8, learning_rate: 0.01, values }];
    /// let history = History { epochs, ..History::default() };
    /// history.write_svg(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path, &self.svg("History::write_svg")?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Data`] for a history without values, or of NaN and infinity alone.
    pub fn to_svg(&self) -> Result<String> {
        self.svg("History::to_svg")
    }

    /// The picture; `call` is what the program called.
    fn svg(&self, call: &str) -> Result<String> {
        let (names, mut panels) = (self.names(), Vec::new());
        // An output may be called `val_…` by its user: a validation value has its training value beside it.
        let known = names.clone();
        let is_training =
            |name: &&str| !name.strip_prefix("val_").is_some_and(|own| own == "loss" || known.contains(&own));
        if names.iter().any(|name| matches!(*name, "loss" | "val_loss")) {
            panels.push("loss");
        }
        panels.extend(names.into_iter().filter(is_training).find(|&name| name != "loss"));
        if panels.is_empty() {
            return Err(Error::data(call, "no epoch has a value to draw"));
        }
        let own = |name: &str| [self.get(name), self.get(&format!("val_{name}"))];
        panels.retain(|name| own(name).into_iter().flatten().any(drawable));
        if panels.is_empty() {
            return Err(Error::data(call, "every value is NaN, infinite or too large to draw"));
        }
        let charts = panels.iter().map(|name| {
            let (width, title) = (SIZE.0 / panels.len() as u32, name.replace('_', " "));
            let mut chart = Chart::new(&title).size(width, SIZE.1).whole_x().x_label("epoch").y_label(&title);
            let looks = [("training", BLUE, false), ("validation", ORANGE, true)];
            for (values, (label, color, is_dashed)) in
                own(name).into_iter().zip(looks).filter(|(own, _)| !own.is_empty())
            {
                let epochs = self.epochs.iter().map(|epoch| epoch.epoch as f64);
                chart = chart.curve(label, epochs.zip(values), color, is_dashed);
            }
            chart
        });
        Page::new("", charts).to_svg()
    }
}
