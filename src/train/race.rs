//! Which device trains a model fastest, found out by a few steps on each.

use super::settings::Fit;
use crate::data::Dataset;
use crate::file::{cache_file, write_whole};
use crate::model::Model;
use crate::plan::device_info::{DeviceInfo, DeviceKind};
use crate::text::{table, thousands};
use crate::{Device, Error, Result};
use std::fmt;

/// Steps of an epoch of the race.
const STEPS: usize = 16;
/// How long a device is timed, after an epoch to warm up.
const SECONDS: f64 = 0.2;

/// How fast each device trains a model: what [`Device::fastest`] found. It prints as a table.
#[derive(Clone)]
pub struct Race {
    /// The fastest.
    pub device: Device,
    /// Every device, with the training steps that it does in a second, or why it does none.
    pub rates: Vec<(DeviceInfo, Result<f64, String>)>,
    /// Whether the rates were read from the cache folder and nothing ran.
    pub remembered: bool,
}

impl Device {
    /// The device on which `model` trains fastest in batches of `batch` rows: a small network does not fill a GPU, and
    /// the CPU backend takes more steps a second; a large one does.
    ///
    /// Each hardware GPU and the CPU backend trains the model that the closure makes for it for about 0.3 s, on the
    /// first rows of `data`; the models are dropped. The rates are kept in the cache folder (`AXONE_CACHE`, else the
    /// user's), so that the next program with the same model, batch and devices starts at once. A software adapter does
    /// not race.
    ///
    /// # Errors
    /// [`Error::Value`] for a batch of 0; what the CPU backend says to the model or its data. A GPU that fails is in
    /// [`Race::rates`] with its reason.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let data = Dataset::new([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])?;
    /// let net = Sequential::new(2).add(Dense::new(8).activation(Activation::Tanh)).add(Dense::new(1));
    /// let compile = |device| net.compile(device, Loss::BinaryCrossEntropy, Adam::default());
    /// let race = Device::fastest(&data, 4, compile)?;
    /// println!("{race}");
    /// let mut model = compile(race.device)?;
    /// # model.fit(&data, &Fit::new().epochs(1).silent())?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn fastest(data: &Dataset, batch: usize, model: impl Fn(Self) -> Result<Model>) -> Result<Race> {
        let (mut devices, mut closed) = (Vec::new(), Vec::new());
        for (index, info) in Self::list().into_iter().enumerate().filter(|(_, info)| info.kind < DeviceKind::Software) {
            match Self::at(index) {
                Ok(device) => devices.push(device),
                Err(error) => closed.push((info, Err(error.to_string()))),
            }
        }
        devices.push(Self::cpu());
        let mut race = Self::fastest_of(&devices, data, batch, model)?;
        race.rates.extend(closed);
        Ok(race)
    }

    /// [`fastest`](Self::fastest) among the `devices` named, the last of which has to run.
    ///
    /// # Errors
    /// As there; also [`Error::Value`] for no devices.
    pub fn fastest_of(
        devices: &[Self],
        data: &Dataset,
        batch: usize,
        model: impl Fn(Self) -> Result<Model>,
    ) -> Result<Race> {
        let Some(last) = devices.last() else {
            return Err(Error::value("Device::fastest_of", "devices", "at least one", "none"));
        };
        if batch == 0 {
            return Err(Error::value("Device::fastest", "batch", "at least 1", batch));
        }
        let part = data.take(batch.saturating_mul(STEPS))?;
        let mut of_last = model(last.clone())?;
        let infos: Vec<DeviceInfo> = devices.iter().map(Self::info).collect();
        let names: Vec<String> = infos.iter().map(DeviceInfo::to_string).collect();
        let version = env!("CARGO_PKG_VERSION");
        let header = format!("axone {version}, batch {batch}, {}, {:?}", names.join("; "), of_last.program());
        let header = header.replace(['\n', '\r'], " ");
        let file = cache_file("race", &header);
        let stored = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        let stored = stored.and_then(|text| parse(text.strip_prefix(&header)?, devices.len()));
        let remembered = stored.is_some();
        let rates = match stored {
            Some(rates) => rates.into_iter().map(Ok).collect(),
            None => {
                let mut rates: Vec<Result<f64, String>> = Vec::new();
                for device in &devices[..devices.len() - 1] {
                    let rate = model(device.clone()).and_then(|mut model| rate(&mut model, &part, batch));
                    rates.push(rate.map_err(|error| error.to_string()));
                }
                rates.push(Ok(rate(&mut of_last, &part, batch)?));
                let lines: Option<String> =
                    rates.iter().map(|rate| Some(format!("\n{}", rate.as_ref().ok()?))).collect();
                // A failure may pass, and is tried again; without the file the next program races again.
                if let (Some(file), Some(lines)) = (file, lines) {
                    let _ = write_whole(&file, format!("{header}{lines}\nend\n").as_bytes());
                }
                rates
            }
        };
        let rate = |rate: &Result<f64, String>| *rate.as_ref().unwrap_or(&0.0);
        let best = (0..rates.len()).max_by(|a, b| rate(&rates[*a]).total_cmp(&rate(&rates[*b])));
        let device = best.map_or(last, |best| &devices[best]).clone();
        Ok(Race { device, rates: infos.into_iter().zip(rates).collect(), remembered })
    }
}

/// Training steps a second of `model` on `data`, in the fastest of some epochs.
fn rate(model: &mut Model, data: &Dataset, batch: usize) -> Result<f64> {
    let mut seconds = |epochs| -> Result<f64> {
        let history = model.fit(data, &Fit::new().batch_size(batch).epochs(epochs).silent())?;
        Ok(history.epochs.iter().map(|epoch| epoch.seconds).fold(f64::INFINITY, f64::min))
    };
    let epochs = (SECONDS / seconds(2)?).clamp(1.0, 1000.0) as usize;
    Ok(data.len().div_ceil(batch) as f64 / seconds(epochs)?)
}

/// The rates behind the header of a file, if it has `count` and they can be true.
fn parse(text: &str, count: usize) -> Option<Vec<f64>> {
    let lines = text.strip_suffix("\nend\n")?.lines().skip(1);
    let rates: Vec<f64> = lines.map(|line| line.parse().ok()).collect::<Option<_>>()?;
    (rates.len() == count && rates.iter().all(|rate| rate.is_finite() && *rate > 0.0)).then_some(rates)
}

impl fmt::Display for Race {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chosen = self.device.info();
        let row = |(info, rate): &(DeviceInfo, Result<f64, String>)| {
            let rate = match rate {
                Ok(rate) => thousands(rate.round() as u64),
                Err(error) => error.clone(),
            };
            let mark = if *info == chosen { "<- fastest" } else { "" };
            vec![info.name.clone(), rate, mark.to_owned()]
        };
        let head = ["device", "steps/s", ""].map(str::to_owned).to_vec();
        let rows: Vec<Vec<String>> = [head].into_iter().chain(self.rates.iter().map(row)).collect();
        f.write_str(&table(&rows, 1))
    }
}
