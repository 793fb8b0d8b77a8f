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
        let file = folder().map(|folder| folder.join(format!("tiles-{:016x}.txt", fnv1a(&header))));
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

    fn write(&self) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut text = format!("{}\n", self.header);
        for (class, tile) in &self.tiles {
            text += &format!("{class} = {tile}\n");
        }
        text += &format!("end of {}\n", self.tiles.len());
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let draft = file.with_extension(format!("{}.draft", std::process::id()));
        std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, file)).inspect_err(|_| {
            let _ = std::fs::remove_file(&draft);
        })
    }
}

/// `AXONE_CACHE`, or the user's folder for such files.
fn folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(own) = variable("AXONE_CACHE") {
        return Some(own);
    }
    let home = || variable("HOME");
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library").join("Caches"))
    } else {
        // A relative path is to be ignored (XDG Base Directory Specification).
        variable("XDG_CACHE_HOME").filter(|path| path.is_absolute()).or_else(|| home().map(|home| home.join(".cache")))
    };
    base.map(|base| base.join("axone"))
}

/// Fowler, Noll and Vo's hash: a name for the file, no proof; the header in it is compared in full.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
