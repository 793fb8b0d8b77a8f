//! A study as SVG pictures.
//!
//! Colours as in learning curves: blue for what was measured, orange for the best of it, grey for what does not count
//! (pruned trials).

mod panels;
mod parallel;

use super::Trials;
use crate::plot::save;
use crate::{Error, Result};
use std::path::Path;

/// What is drawn of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// The score of each trial, and the best so far.
    History,
    /// A line for each trial through its parameters and its score; the better, the darker.
    Parallel,
    /// The score against each parameter.
    Slices,
    /// The share of each parameter: [`Trials::importance`].
    Importance,
}

impl Trials {
    /// Writes a picture. Needs the feature `plot`.
    ///
    /// # Errors
    /// [`Error::Data`] where there is nothing to draw: no complete trial with a number as score, or for importance fewer
    /// than 4; [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// use axone::search::{Picture, Random, Study};
    /// # let path = std::env::temp_dir().join(format!("axone-doc-search-{}.svg", std::process::id()));
    /// let study = Study::minimize("distance").sampler(Random).trials(10).silent();
    /// let trials = study.run(|trial| Ok((trial.float("x", 0.0..=1.0).get()? - 0.3).abs()))?;
    /// trials.write_svg(Picture::History, &path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn write_svg(&self, picture: Picture, path: impl AsRef<Path>) -> Result<()> {
        save(path, &self.to_svg(picture)?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Data`], as there.
    pub fn to_svg(&self, picture: Picture) -> Result<String> {
        self.best()?;
        let mut svg = String::new();
        let drawn = match picture {
            Picture::History => self.draw_history(&mut svg),
            Picture::Parallel => self.draw_parallel(&mut svg),
            Picture::Slices => self.draw_slices(&mut svg),
            Picture::Importance => {
                let shares = self.importance()?;
                self.draw_importance(&mut svg, &shares)
            }
        };
        drawn.map_err(|problem| Error::Internal(format!("drawing a study: {problem}")))?;
        Ok(svg)
    }
}
