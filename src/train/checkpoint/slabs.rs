//! What an optimizer has gathered, in a file: its moments under the names of their parameters, and the loss scale.

use crate::kernels::{LARGEST_SCALE, LOSS_SCALE_LEN, SCALE_AT};
use crate::model::persist::Contents;
use crate::model::{Layout, Model, Precision, Weight, trained};
use crate::{Error, Result};
use std::path::Path;

/// The name that moment `moment` of a parameter has in the file.
fn moment_name(moment: usize, parameter: &str) -> String {
    format!("moment_{moment}/{parameter}")
}

/// The moments of `model` as a file has them. One that is not finite would not be read again.
pub(in crate::train) fn moments(model: &mut Model) -> Result<Vec<Weight>> {
    let mut all = Vec::new();
    for (moment, slab) in trained(model.moments()).skip(1).enumerate() {
        let values = model.slab(slab)?;
        let weights = model.layout().split(&values).into_iter();
        all.extend(weights.map(|weight| Weight { name: moment_name(moment, &weight.name), ..weight }));
    }
    all.iter().try_for_each(Weight::check_finite)?;
    Ok(all)
}

/// The loss scale of `model` as a file has it. JSON has no infinity: after a step that was passed over, the factor of that
/// step may be one. The next step writes it anew before anything reads it.
pub(in crate::train) fn loss_scale(model: &mut Model) -> Result<Option<Vec<f32>>> {
    let finite = |scale: Vec<f32>| scale.into_iter().map(|x| if x.is_finite() { x } else { 0.0 }).collect();
    Ok(model.loss_scale_buffer()?.map(finite))
}

/// What [`Model::set_slabs`] takes, of the file at `path`: weights, moments and the loss scale that its state names.
pub(in crate::train) fn slabs(
    contents: &Contents,
    path: &Path,
    (layout, moments): (&Layout, usize),
    (precision, loss_scale): (Precision, Option<Vec<f32>>),
) -> Result<Vec<Vec<f32>>> {
    let names: Vec<String> = layout.parameters.iter().map(|parameter| parameter.name.clone()).collect();
    let mut slabs = vec![layout.join("weights", &contents.weights(names.iter().map(String::as_str))?)?];
    for moment in 0..moments {
        let own: Vec<String> = names.iter().map(|name| moment_name(moment, name)).collect();
        let mut weights = contents.weights(own.iter().map(String::as_str))?;
        weights.iter_mut().zip(&names).for_each(|(weight, name)| weight.name.clone_from(name));
        slabs.push(layout.join("moments", &weights)?);
    }
    let scaled = precision == Precision::F16;
    if loss_scale.is_some() != scaled || !loss_scale.iter().all(|state| is_loss_scale(state)) {
        return Err(Error::file(path, format!("a loss scale of {loss_scale:?} in {precision:?}")));
    }
    slabs.extend(loss_scale);
    Ok(slabs)
}

/// Whether `state` may have been read from a device.
fn is_loss_scale(state: &[f32]) -> bool {
    let scale = state.get(SCALE_AT).is_some_and(|scale| (1.0..=LARGEST_SCALE).contains(scale));
    state.len() == LOSS_SCALE_LEN && scale && state.iter().all(|x| x.is_finite())
}
