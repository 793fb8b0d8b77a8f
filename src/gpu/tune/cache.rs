//! What was timed, on disk: one small text file for each adapter, driver and version of axone.
//!
//! ```text
//! axone 0.1.0, NVIDIA H100 (discrete GPU, vulkan, NVIDIA 570.00)
//! nn bias 128x512x1024 by 444 = large
//! end of 1
//! ```
//!
//! A file that is anything else counts as none, and is written anew after the next race. It is replaced as a whole, so
//! that nobody reads half of one. Where nothing can be written, the choices hold for as long as the device is open.

use crate::Result;
use crate::file::{cache_file, write_whole};
use crate::kernels::Tile;
use crate::plan::device_info::DeviceInfo;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The choices for one device.
pub(super) struct Cache {
    file: Option<PathBuf>,
    header: String,
    tiles: BTreeMap<String, Tile>,
}

impl Cache {
    /// What is known of `device`.
    pub fn read(device: &DeviceInfo) -> Self {
        let header = format!("axone {}, {device}", env!("CARGO_PKG_VERSION"));
        let header = header.replace(['\n', '\r'], " ");
        let file = cache_file("tiles", &header);
        let mut cache = Self { file, header, tiles: BTreeMap::new() };
        cache.tiles = cache.stored().unwrap_or_default();
        cache
    }

    pub fn get(&self, class: &str) -> Option<Tile> {
        self.tiles.get(class).copied()
    }

    /// Keeps a choice, beside those that other programs have made since this one looked.
    pub fn insert(&mut self, class: String, tile: Tile) {
        for (class, tile) in self.stored().unwrap_or_default() {
            self.tiles.entry(class).or_insert(tile);
        }
        self.tiles.insert(class, tile);
        // Without the file the next program times again; that is no reason to fail.
        let _ = self.write();
    }

    /// The tiles in the file, if it is whole and of this device.
    fn stored(&self) -> Option<BTreeMap<String, Tile>> {
        let text = std::fs::read_to_string(self.file.as_ref()?).ok()?;
        let body = text.strip_prefix(&self.header)?.strip_prefix('\n')?;
        let (lines, end) = body.split_at(body.rfind("end of ")?);
        let tile = |line: &str| {
            let (class, name) = line.split_once(" = ")?;
            let tile = Tile::ALL.into_iter().find(|tile| tile.to_string() == name)?;
            Some((class.to_owned(), tile))
        };
        let tiles: BTreeMap<String, Tile> = lines.lines().map(tile).collect::<Option<_>>()?;
        (end == format!("end of {}\n", tiles.len())).then_some(tiles)
    }

    fn write(&self) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut text = format!("{}\n", self.header);
        for (class, tile) in &self.tiles {
            text += &format!("{class} = {tile}\n");
        }
        text += &format!("end of {}\n", self.tiles.len());
        write_whole(file, text.as_bytes())
    }
}
