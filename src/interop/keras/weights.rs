//! The arrays of a Keras file, by layer.

use super::hdf5::{File, Object, Reason};
use std::collections::BTreeMap;

/// An array: its sides and its numbers.
pub(super) type Array = (Vec<usize>, Vec<f32>);

/// The arrays of each layer, in the order in which Keras makes them.
pub(super) type Arrays = BTreeMap<String, Vec<Array>>;

/// Where the layers of a file are: behind their names, or (since Keras 3) behind those of their classes.
pub(super) fn read(file: &File<'_>) -> Result<Arrays, Reason> {
    let root = file.root();
    if let Some(layers) = file.find(root, "layers")? {
        let mut arrays = Arrays::new();
        for (group, layer) in file.members(layers)? {
            let read = by_number(file, layer).map_err(|reason| format!("layers/{group}: {reason}"))?;
            if let Some((name, list)) = read {
                arrays.insert(name, list);
            }
        }
        return Ok(arrays);
    }
    // Old files of weights alone have the layers at the root.
    let layers = file.find(root, "model_weights")?.unwrap_or(root);
    let names = file.texts(layers, "layer_names")?.ok_or("no weights of Keras: neither `layers` nor `layer_names`")?;
    let members: BTreeMap<String, Object> = file.members(layers)?.into_iter().collect();
    let mut arrays = Arrays::new();
    for name in names {
        let group = *members.get(&name).ok_or_else(|| format!("layer {name} is listed, and not there"))?;
        let paths = file.texts(group, "weight_names")?.unwrap_or_default();
        let array = |path: &String| {
            let at = file.find(group, path)?.ok_or("not there")?;
            file.array(at)
        };
        let list: Result<Vec<Array>, Reason> =
            paths.iter().map(|path| array(path).map_err(|reason| format!("{path}: {reason}"))).collect();
        arrays.insert(name, list?);
    }
    Ok(arrays)
}

/// Name and arrays of a layer whose arrays are `vars/0`, `vars/1`, ..
fn by_number(file: &File<'_>, layer: Object) -> Result<Option<(String, Vec<Array>)>, Reason> {
    let Some(vars) = file.find(layer, "vars")? else { return Ok(None) };
    let name = file.texts(vars, "name")?.and_then(|names| names.into_iter().next()).ok_or("no name")?;
    let mut members: Vec<(usize, Object)> = Vec::new();
    for (number, object) in file.members(vars)? {
        members.push((number.parse().map_err(|_| format!("an array called {number}"))?, object));
    }
    members.sort_by_key(|(number, _)| *number);
    let list: Result<Vec<Array>, Reason> = members
        .iter()
        .map(|(number, at)| file.array(*at).map_err(|reason| format!("array {number}: {reason}")))
        .collect();
    Ok(Some((name, list?)))
}
