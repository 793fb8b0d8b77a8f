//! Damaged files: every reader must read or refuse them, and end.

use axone::random::threefry2x32;

/// Bytes that mean something in one format or another.
const TELLING: [u8; 16] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b'\r', b'"', b',', b';', b'\'', b'-', b'9', b'e', b'{', b'}'];

/// `count` mutants of the files `whole`, the same in each run: bits flipped, bytes set, pieces cut out, doubled and moved,
/// ends lost.
pub fn mutants(whole: &[Vec<u8>], count: u32, read: impl FnMut(u32, &[u8])) {
    edited(whole, count, 8, read);
}

/// The same of formats that write lengths as bytes, with lengths beyond every file among them.
#[allow(dead_code, reason = "not every test binary has such formats")]
pub fn mutants_with_lengths(whole: &[Vec<u8>], count: u32, read: impl FnMut(u32, &[u8])) {
    edited(whole, count, 9, read);
}

fn edited(whole: &[Vec<u8>], count: u32, kinds: usize, mut read: impl FnMut(u32, &[u8])) {
    for case in 0..count {
        let draw = |i: u32, below: usize| threefry2x32([2026, i], [case, 0])[0] as usize % below.max(1);
        let mut bytes = whole[case as usize % whole.len()].clone();
        for edit in 0..1 + draw(0, 3) as u32 {
            let i = 10 * (edit + 1);
            let at = draw(i, bytes.len());
            let length = (1 + draw(i + 1, 16)).min(bytes.len() - at);
            let Some(byte) = bytes.get_mut(at) else { break };
            match draw(i + 2, kinds) {
                0 | 1 => *byte ^= 1 << draw(i + 3, 8),
                2 => *byte = draw(i + 3, 256) as u8,
                3 => *byte = TELLING[draw(i + 3, TELLING.len())],
                4 => drop(bytes.drain(at..at + length)),
                5 => {
                    let piece = bytes[at..at + length].to_vec();
                    let to = draw(i + 3, bytes.len());
                    drop(bytes.splice(to..to, piece));
                }
                6 => bytes.insert(at, TELLING[draw(i + 3, TELLING.len())]),
                7 => bytes.truncate(at),
                // 2^31 - 1, and a varint beyond it.
                _ => drop(bytes.splice(at..at, [0xff, 0xff, 0xff, 0xff, 0x7f][draw(i + 3, 2)..].to_vec())),
            }
        }
        read(case, &bytes);
    }
}

#[test]
fn mutants_differ_and_come_again() {
    let whole = [b"some bytes, and more of them".to_vec(), vec![]];
    let all = || {
        let mut all = Vec::new();
        mutants(&whole, 1000, |_, bytes| all.push(bytes.to_vec()));
        all
    };
    let (first, again) = (all(), all());
    assert_eq!(first, again);
    let distinct: std::collections::BTreeSet<_> = first.iter().collect();
    assert!(distinct.len() > 400, "{} distinct", distinct.len());
}
