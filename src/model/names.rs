//! The names of layers and inputs: what they may be, those given by number, and those that would meet in a checkpoint.

use super::Network;
use crate::{Error, Result};

impl Network {
    fn has(&self, name: &str) -> bool {
        self.values.iter().any(|value| value.name == name)
    }

    /// Refuses an empty name, and one that is taken.
    pub(super) fn check_name(&self, name: &str) -> Result<()> {
        if name.is_empty() {
            return Err(Error::value("network", "name", "at least one character", "\"\""));
        }
        if self.has(name) {
            return Err(Error::value("network", "name", "different for every layer", format!("\"{name}\" twice")));
        }
        Ok(())
    }

    /// `KIND_N` for the first N above `before` that no value is called by.
    pub(crate) fn free_name(&self, kind: &str, before: usize) -> String {
        let mut numbered = (before + 1..).map(|n| format!("{kind}_{n}"));
        numbered.find(|name| !self.has(name)).unwrap_or_default()
    }

    /// Refuses a layer whose parameters would be called in a checkpoint as the moments of another's are
    /// (`moment_0/dense_1.w`).
    pub(super) fn check_moments(&self) -> Result<()> {
        let layers = self.parameter_layers();
        for layer in &layers {
            let moment = layer.strip_prefix("moment_").and_then(|rest| rest.split_once('/'));
            let Some((number, of)) = moment.filter(|(number, _)| number.parse::<usize>().is_ok()) else { continue };
            if layers.contains(&of) {
                let wanted = "other than those of moments in a checkpoint";
                let got = format!("\"moment_{number}/{of}\" for a layer and for a moment of \"{of}\"");
                return Err(Error::value("network", "layer name", wanted, got));
            }
        }
        Ok(())
    }
}
