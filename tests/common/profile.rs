//! Profiles on any device: complete, plausible, and without a trace in the model. No time is judged.

use super::api::{bits, branched, classifier, images, samples};
use axone::plan::Work;
use axone::prelude::*;
use axone::train::Profile;

/// Every dispatch has a row with a time, rates and a share.
pub fn is_complete(profile: &Profile) {
    assert!(profile.runs >= 3, "{}", profile.runs);
    assert!(profile.peaks.gflops.is_finite() && profile.peaks.gflops > 0.0, "{:?}", profile.peaks);
    assert!(profile.peaks.gigabytes.is_finite() && profile.peaks.gigabytes > 0.0, "{:?}", profile.peaks);
    for row in &profile.rows {
        assert!(row.seconds.is_finite() && row.seconds > 0.0, "{row:?}");
        assert!(row.work.bytes > 0 && row.gigabytes() > 0.0, "{row:?}");
        let share = row.share(&profile.peaks);
        assert!(share.is_finite() && share > 0.0, "{row:?}: {share}");
    }
    let table = profile.to_string();
    for row in &profile.rows {
        assert!(table.lines().any(|line| line.contains(&row.kernel) && line.contains(&row.layer)), "{row:?}\n{table}");
    }
    assert!(table.contains("batch"), "{table}");
}

/// The rows are the dispatches of the training plan; the work is what the formulas say.
pub fn rows_are_the_dispatches(device: &Device) {
    let (batch, inputs, hidden, classes) = (6, 5, 8, 3);
    let profile = classifier(device, Adam::new(0.01)).profile(&samples(20), batch as usize).unwrap();
    is_complete(&profile);
    let layers: Vec<&str> = profile.rows.iter().map(|row| row.layer.as_str()).collect();
    let dense = ["dense_1", "dense_2", "categorical_cross_entropy", "ddense_2", "ddense_2", "ddense_1"];
    assert_eq!(layers, [&["batch"][..], &dense, &["update"]].concat());
    assert_eq!(profile.batch, batch as usize);

    // (inputs, hidden) and its bias, (hidden, classes) and its bias: each begins at a multiple of 64 elements.
    let slab = 4 * 64;
    let products = 2 * batch * (2 * inputs * hidden + 3 * hidden * classes);
    let biases = batch * (hidden + classes);
    let tanh = (1 + 2) * batch * hidden;
    let loss = 10 * batch * classes;
    let weights = batch;
    let flops = products + 2 * biases + tanh + loss + weights + 13 * slab;
    assert_eq!(profile.work().flops, flops);

    let work: Vec<Work> = profile.rows.iter().map(|row| row.work).collect();
    let gathered = 2 * (batch * inputs + batch + batch) + batch;
    assert_eq!(work[0], Work { flops: batch, bytes: 4 * gathered });
    let dense_1 = batch * inputs + inputs * hidden + hidden + batch * hidden;
    assert_eq!(work[1].bytes, 4 * dense_1);
    // Logits, classes and scales; loss and hit to the log, and the gradient.
    assert_eq!(work[3].bytes, 4 * (2 * batch * classes + 2 * batch + 2 * batch));
    // The gradient is read, the parameter and two moments are read and written.
    assert_eq!(work[7], Work { flops: 13 * slab, bytes: 4 * 7 * slab });
}

/// One event for each dispatch, in order, none over the end of the last; names survive.
pub fn the_trace_is_json(device: &Device) {
    let net = Sequential::new(5).add(Dense::new(3).activation(Activation::Softmax).named("a \"b\" \\ \t ü"));
    let mut model = net.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::new(0.1)).unwrap();
    let profile = model.profile(&samples(8), 4).unwrap();
    let trace: serde_json::Value = serde_json::from_str(&profile.to_trace()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let spans: Vec<_> = events.iter().filter(|event| event["ph"] == "X").collect();
    let steps = spans.len() / profile.rows.len();
    assert!(steps > 1 && spans.len() == steps * profile.rows.len(), "{} events", spans.len());
    assert!(events.iter().any(|event| event["ph"] == "M" && event["args"]["name"] == device.info().to_string()));
    let mut last = 0.0;
    for (i, event) in spans.iter().enumerate() {
        let row = &profile.rows[i % profile.rows.len()];
        assert_eq!(event["name"], row.kernel, "{event}");
        assert_eq!(event["args"]["layer"], row.layer, "{event}");
        assert_eq!(event["args"]["step"], i / profile.rows.len(), "{event}");
        let (begin, length) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
        // Numbers are written to the nanosecond.
        assert!(length >= 0.0 && begin >= last - 0.002, "{event} begins before {last}");
        last = begin + length;
    }
    assert!(profile.rows.iter().any(|row| row.layer.contains("a \"b\" \\ \t ü")));

    let path = std::env::temp_dir().join(format!("axone_trace_{}_{}.json", std::process::id(), device.is_gpu()));
    profile.write_trace(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), profile.to_trace());
    std::fs::remove_file(&path).unwrap();
    let nowhere = path.join("trace.json");
    assert!(matches!(profile.write_trace(&nowhere), Err(Error::File { path, .. }) if path == nowhere));
}

/// Weights, moments and the count of steps stay: training goes on as if nothing had happened.
pub fn the_model_stays_as_it_is(device: &Device) {
    let fit = Fit::new().epochs(2).batch_size(4).seed(3).silent();
    let data = samples(11);
    let (mut profiled, mut plain) = (classifier(device, Adam::new(0.05)), classifier(device, Adam::new(0.05)));
    let history = profiled.fit(&data, &fit.clone().profile(true)).unwrap();
    let profile = history.profile.as_ref().unwrap();
    is_complete(profile);
    assert_eq!(profile.batch, 4);
    let expected = plain.fit(&data, &fit).unwrap();
    assert_eq!(expected.profile, None);
    assert_eq!(history.get("loss"), expected.get("loss"));
    assert_eq!(bits(&mut profiled), bits(&mut plain));
    // Another batch size than the one that is loaded.
    profiled.profile(&data, 7).unwrap();
    assert_eq!(bits(&mut profiled), bits(&mut plain));
    assert_eq!(profiled.gradients().unwrap(), plain.gradients().unwrap());
    profiled.fit(&data, &fit).unwrap();
    plain.fit(&data, &fit).unwrap();
    assert_eq!(bits(&mut profiled), bits(&mut plain));
}

/// Several inputs and outputs, dropout, and gathers of their own.
pub fn branches(device: &Device) {
    let profile = branched(device).profile(&images(9), 4).unwrap();
    is_complete(&profile);
    let has = |kernel: &str| profile.rows.iter().any(|row| row.kernel == kernel);
    assert!(has("gather") && has("dropout") && has("copy_columns"), "{profile}");
}

/// Input that cannot be profiled is refused with its value.
pub fn bad_input(device: &Device) {
    let mut model = classifier(device, Sgd::new(0.1));
    let error = model.profile(&samples(4), 0).unwrap_err();
    assert_eq!(error.to_string(), "profile: batch_size must be at least 1, got 0");
    let narrow = Dataset::new([[1.0, 2.0]], [0]).unwrap();
    assert!(matches!(model.profile(&narrow, 1), Err(Error::Shape { .. })));
    // More than there are: all of them.
    assert_eq!(model.profile(&samples(3), 1000).unwrap().batch, 3);
    // A batch whose rows weigh nothing divides by nothing.
    let data = samples(4).with_weights(vec![0.0, 0.0, 0.0, 1.0]).unwrap();
    is_complete(&model.profile(&data, 2).unwrap());
}
