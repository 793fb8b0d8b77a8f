//! What no kernel may exceed on a GPU, and where today's do: a ratchet.

use crate::gpus::Facts;
use crate::variants::LARGE;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Warps that a multiprocessor of NVIDIA must have room for beside those of the large tile: four for each scheduler.
const LARGE_WARPS: usize = 16;

/// Instructions of the inner loop of the large tile that are no multiply-adds, of a hundred: on Hopper, where no epilogue
/// has a loop of its own that has more of them.
const LARGE_OTHERS: usize = 18;

/// What is over a budget: what of which pipeline on which GPU, and how much there is of it.
pub type Excess = BTreeMap<(String, String, String), usize>;

/// Adds what `facts` exceed.
pub fn hold(gpu: &str, pipeline: &str, facts: &Facts, excess: &mut Excess) {
    let mut over = |what: &str, much: usize| {
        excess.insert((gpu.to_owned(), pipeline.to_owned(), what.to_owned()), much);
    };
    if facts.scratch > 0 {
        over("scratch", facts.scratch);
    }
    if facts.spills > 0 {
        over("spills", facts.spills);
    }
    if gpu.starts_with("sm_") && pipeline.starts_with(LARGE) && facts.in_flight < LARGE_WARPS {
        over("registers", facts.registers);
    }
    let others = facts.inner.map_or(0, |inner| 100 - inner.percent());
    if gpu == "sm_90" && pipeline.starts_with(&format!("{LARGE}vec4.plain")) && others > LARGE_OTHERS {
        over("no fma", others);
    }
    // The large tile has a loop of multiply-adds on every GPU: if none is seen, a compiler writes its code in another way.
    if pipeline.starts_with(LARGE) && facts.inner.is_none() {
        over("loop not found", 1);
    }
    if let Some(inner) = facts.inner.filter(|inner| inner.arrays > 0) {
        over("arrays", inner.arrays);
    }
}

/// The list of known excesses: lines of GPU, pipeline, what, how much. Lines with `#` say what it is of.
pub fn parse(text: &str) -> Result<Excess, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let parsed = lines.map(|line| {
        let [gpu, pipeline, what, much] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("known.tsv: `{line}` has not four fields"));
        };
        let much = much.parse().map_err(|error| format!("known.tsv: `{line}`: {error}"))?;
        Ok(((gpu.to_owned(), pipeline.to_owned(), what.to_owned()), much))
    });
    parsed.collect()
}

pub fn write(excess: &Excess) -> String {
    let mut text = String::new();
    for ((gpu, pipeline, what), much) in excess {
        // A `String` takes all that is written.
        let _ = writeln!(text, "{gpu}\t{pipeline}\t{what}\t{much}");
    }
    text
}

/// What is over its budget and not known, or more than known; and what is known and has become less, among what was
/// measured.
pub fn compare(known: &Excess, found: &Excess, measured: impl Fn(&str, &str) -> bool) -> (Vec<String>, Vec<String>) {
    let say = |(gpu, pipeline, what): &(String, String, String)| format!("{gpu}: {pipeline}: {what}");
    let worse = found.iter().filter_map(|(key, much)| match known.get(key) {
        Some(before) if much <= before => None,
        Some(before) => Some(format!("{} {much}, known were {before}", say(key))),
        None if key.2 == "no fma" => Some(format!("{} {much} %, the budget is {LARGE_OTHERS} %", say(key))),
        None if key.2 == "registers" => Some(format!("{} {much} leave fewer than {LARGE_WARPS} warps", say(key))),
        None => Some(format!("{} {much}, the budget is 0", say(key))),
    });
    let better = known.iter().filter(|((gpu, pipeline, _), _)| measured(gpu, pipeline)).filter_map(|(key, before)| {
        let now = found.get(key).copied().unwrap_or(0);
        (now < *before).then(|| format!("{} {now}, known were {before}", say(key)))
    });
    (worse.collect(), better.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_may_not_grow_and_what_is_new_fails() {
        let key = |what: &str| ("sm_90".to_owned(), "matmul".to_owned(), what.to_owned());
        let known = Excess::from([(key("scratch"), 16), (key("spills"), 4)]);
        let all = |_: &str, _: &str| true;
        assert_eq!(compare(&known, &known, all), (vec![], vec![]));
        let grown = Excess::from([(key("scratch"), 32), (key("spills"), 4)]);
        assert_eq!(compare(&known, &grown, all).0, ["sm_90: matmul: scratch 32, known were 16"]);
        let new = Excess::from([(key("scratch"), 16), (key("spills"), 4), (key("arrays"), 1)]);
        assert_eq!(compare(&known, &new, all).0.len(), 1);
        assert_eq!(compare(&known, &Excess::new(), all).1.len(), 2);
        assert_eq!(compare(&known, &Excess::new(), |_, _| false).1.len(), 0);
        assert_eq!(parse(&write(&known)), Ok(known));
    }
}
