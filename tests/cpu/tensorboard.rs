//! Event files, read by a reader that shares nothing with the writer: checksums bit by bit, fields of any message.

use crate::common::api::{classifier, samples};
use axone::prelude::*;
use std::path::Path;

/// CRC-32C by polynomial division, highest bit first, on reversed bits.
fn crc32c(data: &[u8]) -> u32 {
    let mut register: u32 = !0;
    for byte in data {
        register ^= u32::from(byte.reverse_bits()) << 24;
        for _ in 0..8 {
            let carry = register >> 31 == 1;
            register <<= 1;
            register ^= if carry { 0x1edc_6f41 } else { 0 };
        }
    }
    !register.reverse_bits()
}

fn unmasked(stored: &[u8]) -> u32 {
    let rotated = u32::from_le_bytes(stored.try_into().unwrap()).wrapping_sub(0xa282_ead8);
    rotated.rotate_left(15)
}

/// The data of each record.
fn records(mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at_checked(12).ok_or("a head is cut off")?;
        if unmasked(&head[8..]) != crc32c(&head[..8]) {
            return Err("checksum of a length".into());
        }
        let length = u64::from_le_bytes(head[..8].try_into().unwrap()) as usize;
        let (data, rest) = rest.split_at_checked(length).ok_or("data are cut off")?;
        let (tail, rest) = rest.split_at_checked(4).ok_or("a checksum is cut off")?;
        if unmasked(tail) != crc32c(data) {
            return Err("checksum of data".into());
        }
        found.push(data.to_vec());
        bytes = rest;
    }
    Ok(found)
}

#[derive(Debug, PartialEq)]
enum Field {
    Integer(u64),
    Double(f64),
    Float(f32),
    Bytes(Vec<u8>),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}

/// Number and content of each field of a message.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let mut take = |count: usize| {
            let (part, rest) = bytes.split_at(count);
            bytes = rest;
            part.to_vec()
        };
        let field = match key & 7 {
            1 => Field::Double(f64::from_le_bytes(take(8).try_into().unwrap())),
            5 => Field::Float(f32::from_le_bytes(take(4).try_into().unwrap())),
            0 => Field::Integer(varint(&mut bytes)),
            2 => {
                let length = varint(&mut bytes) as usize;
                let (part, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(part.to_vec())
            }
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, field));
    }
    found
}

/// Step, tag and value of each scalar of the one event file in `folder`.
fn scalars(path: &Path) -> Vec<(u64, String, f32)> {
    let records = records(&std::fs::read(path).unwrap()).unwrap();
    let first = fields(&records[0]);
    assert_eq!(first[1], (3, Field::Bytes(b"brain.Event:2".to_vec())));
    let mut found = Vec::new();
    for record in &records[1..] {
        let event = fields(record);
        let [(1, Field::Double(time)), (2, Field::Integer(step)), (5, Field::Bytes(summary))] = &event[..] else {
            panic!("{event:?}");
        };
        assert!(*time > 1.6e9);
        for (number, value) in fields(summary) {
            let Field::Bytes(value) = value else { panic!("{value:?}") };
            let value = fields(&value);
            let [(1, Field::Bytes(tag)), (2, Field::Float(scalar))] = &value[..] else { panic!("{value:?}") };
            assert_eq!(number, 1);
            found.push((*step, String::from_utf8(tag.clone()).unwrap(), *scalar));
        }
    }
    found
}

/// The steps of the scalars in a file.
pub fn steps(path: &Path) -> Vec<u64> {
    let mut steps: Vec<u64> = scalars(path).into_iter().map(|(step, ..)| step).collect();
    steps.dedup();
    steps
}

#[test]
fn event_files_hold_the_history() {
    let folder = std::env::temp_dir().join(format!("axone-tensorboard-{}", std::process::id()));
    let mut model = classifier(&Device::cpu(), Adam::default());
    // More epochs than seven bits number.
    let fit = Fit::new().epochs(130).batch_size(8).validation(&samples(5)).silent();
    let history = model.fit(&samples(8), &fit.callback(TensorBoard::new(&folder))).unwrap();
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    assert!(files[0].file_name().unwrap().to_str().unwrap().starts_with("events.out.tfevents."));
    let mut wanted = Vec::new();
    for epoch in &history.epochs {
        let values = epoch.values.iter().map(|(name, value)| (epoch.epoch as u64, name.clone(), *value as f32));
        wanted.extend(values.chain([(epoch.epoch as u64, "learning_rate".to_owned(), epoch.learning_rate)]));
    }
    assert_eq!(scalars(&files[0]), wanted);

    // The reader sees one bit that is wrong, wherever it is.
    let whole = std::fs::read(&files[0]).unwrap();
    for at in [0, 9, 14, 30, whole.len() - 1] {
        let mut spoiled = whole.clone();
        spoiled[at] ^= 4;
        assert!(records(&spoiled).is_err(), "byte {at}");
    }
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);

    // A second run in the same second has a file of its own.
    let again = Fit::new().epochs(1).batch_size(8).silent().callback(TensorBoard::new(&folder));
    model.fit(&samples(8), &again).unwrap();
    model.fit(&samples(8), &again).unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);
    std::fs::remove_dir_all(folder).unwrap();
}
