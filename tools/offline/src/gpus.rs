//! The GPUs that are compiled for, how their drivers are started without them, and what they report.

use crate::assembly::{Language, Loop, inner_loop};
use crate::measure::MARK;
use crate::variants::Variant;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A GPU, or what stands for one.
pub struct Gpu {
    /// Its column in the tables.
    pub name: &'static str,
    /// Who compiles, and for what.
    pub about: &'static str,
    driver: &'static str,
    shim: &'static str,
    chip: (&'static str, &'static str),
    language: Language,
}

pub const GPUS: [Gpu; 7] = [
    nvidia("sm_90", "NVK, NVIDIA Hopper (GH100)", "180"),
    nvidia("sm_75", "NVK, NVIDIA Turing (TU102)", "162"),
    amd("navi10", "RADV, AMD RDNA 1 (RX 5700)"),
    amd("navi31", "RADV, AMD RDNA 3 (RX 7900)"),
    amd("vega10", "RADV, AMD GCN 5 (RX Vega)"),
    Gpu {
        name: "m1",
        about: "Asahi, Apple M1",
        driver: "asahi",
        shim: "asahi",
        chip: ("AGX_MESA_DEBUG", "shaders"),
        language: Language::Apple,
    },
    Gpu {
        name: "a660",
        about: "Turnip, Qualcomm Adreno 660",
        driver: "freedreno",
        shim: "freedreno",
        chip: ("FD_GPU_ID", "660"),
        language: Language::Adreno,
    },
];

const fn nvidia(name: &'static str, about: &'static str, chip: &'static str) -> Gpu {
    let chip = ("NOUVEAU_CHIPSET", chip);
    Gpu { name, about, driver: "nouveau", shim: "nouveau", chip, language: Language::Nvidia }
}

const fn amd(name: &'static str, about: &'static str) -> Gpu {
    let chip = ("AMDGPU_GPU_ID", name);
    Gpu { name, about, driver: "radeon", shim: "amdgpu", chip, language: Language::Amd }
}

/// Pipelines that a process compiles.
const AT_ONCE: usize = 100;

/// What a compiler says of a pipeline.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Of 32 bits, an invocation.
    pub registers: usize,
    pub spills: usize,
    /// Bytes of memory of an invocation, whatever the driver counts in.
    pub scratch: usize,
    pub instructions: usize,
    pub inner: Option<Loop>,
    /// Subgroups that registers and workgroup memory leave room for, on a multiprocessor, SIMD or core.
    pub in_flight: usize,
}

/// Where the compilers lie.
pub struct Compilers {
    pub root: PathBuf,
}

impl Compilers {
    pub fn library(&self) -> PathBuf {
        self.root.join("mesa/usr/lib/x86_64-linux-gnu")
    }

    /// This program under the C library of the compilers, with `preloaded` in front.
    pub fn command(&self, preloaded: &str) -> Result<Command, String> {
        let library = self.library();
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(library.join("ld-linux-x86-64.so.2"));
        command.arg("--library-path").arg(&library);
        if !preloaded.is_empty() {
            command.arg("--preload").arg(preloaded);
        }
        command.arg(own);
        Ok(command)
    }
}

/// Feeds `lines` to a process.
pub fn feed(mut command: Command, lines: &str, log: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", log.display());
    let out = File::create(log).map_err(failed)?;
    let errors = out.try_clone().map_err(failed)?;
    command.stdin(Stdio::piped()).stdout(out).stderr(errors);
    let mut child = command.spawn().map_err(failed)?;
    // What it does not read shows in its status.
    let _ = child.stdin.take().map(|mut input| input.write_all(lines.as_bytes()));
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("{status}, see {}", log.display())) }
}

/// What DXC's disassembly shows.
pub fn dxil(text: &str) -> Result<Facts, String> {
    if let Some(error) = text.strip_prefix("refused\t") {
        return Err(error.trim().to_owned());
    }
    let instructions = text.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")).count();
    Ok(Facts { instructions, inner: inner_loop(Language::Dxil, text), ..Facts::default() })
}

impl Gpu {
    /// Matrices of 16 x 16 and subgroups of 32 are NVIDIA's.
    pub fn takes(&self, variant: &Variant) -> bool {
        !variant.is_cooperative() || self.language == Language::Nvidia
    }

    /// Compiles `names`, whose SPIR-V lies in `folder`.
    pub fn compile(
        &self,
        compilers: &Compilers,
        folder: &Path,
        names: &[&str],
    ) -> Result<BTreeMap<String, Result<Facts, String>>, String> {
        let out = folder.join(self.name);
        let failed = |error: std::io::Error| format!("{}: {error}", out.display());
        std::fs::create_dir_all(&out).map_err(failed)?;
        let library = compilers.library();
        let icd = out.join("icd.json");
        let driver = library.join(format!("libvulkan_{}.so", self.driver));
        let text = format!(
            "{{\"ICD\":{{\"api_version\":\"1.3.0\",\"library_path\":\"{}\"}},\"file_format_version\":\"1.0.0\"}}",
            driver.display()
        );
        std::fs::write(&icd, text).map_err(failed)?;
        let shim = library.join(format!("lib{}_noop_drm_shim.so", self.shim));
        let preloaded = match self.language {
            Language::Nvidia => format!("{}:{}", compilers.root.join("nouveau.so").display(), shim.display()),
            _ => shim.display().to_string(),
        };
        let path = |name: &str| out.join(format!("{name}.txt"));
        let log = out.join("log");
        let begins = |log: &Path| -> Result<bool, String> {
            Ok(String::from_utf8_lossy(&std::fs::read(log).map_err(failed)?).contains(MARK))
        };
        // What a driver prints instead of handing it over.
        let mut printed: BTreeMap<String, String> = BTreeMap::new();
        let mut compile = |names: &[&str]| -> Result<(), String> {
            let mut command = compilers.command(&preloaded)?;
            command.arg("measure").env(self.chip.0, self.chip.1);
            command.env("VK_DRIVER_FILES", &icd).env("VK_LOADER_LAYERS_DISABLE", "*");
            command.env("MESA_SHADER_CACHE_DISABLE", "true").env("NVK_I_WANT_A_BROKEN_VULKAN_DRIVER", "1");
            let from = |name: &str| folder.join(format!("{name}.spv"));
            let lines = names.iter().map(|name| format!("{}\t{}\n", from(name).display(), path(name).display()));
            feed(command, &lines.collect::<String>(), &log)?;
            let log = String::from_utf8_lossy(&std::fs::read(&log).map_err(failed)?).into_owned();
            let parts = log.split(MARK).skip(1).filter_map(|part| part.split_once('\n'));
            printed.extend(parts.map(|(file, text)| (file.to_owned(), text.to_owned())));
            Ok(())
        };
        // A few at a time: the stand-ins for kernel drivers never give anything back.
        for some in names.chunks(AT_ONCE) {
            if compile(some).is_err() {
                // One that ends the compiler takes no other with it; where the compiler does not even begin, none is tried.
                let left: Vec<&&str> = some.iter().filter(|name| !path(name).exists()).collect();
                for (tried, name) in left.iter().enumerate() {
                    match compile(&[name]) {
                        Err(error) if tried == 0 && left.len() == some.len() && !begins(&log)? => return Err(error),
                        Err(error) => std::fs::write(path(name), format!("refused\t{error}\n")).map_err(failed)?,
                        Ok(()) => {}
                    }
                }
            }
        }

        let mut found = BTreeMap::new();
        for name in names {
            let text = String::from_utf8_lossy(&std::fs::read(path(name)).map_err(failed)?).into_owned();
            let path = path(name).display().to_string();
            let code =
                if self.language == Language::Apple { printed.get(&path).map_or("", |text| text) } else { &text };
            found.insert((*name).to_owned(), self.facts(&text, code));
        }
        Ok(found)
    }

    fn facts(&self, text: &str, code: &str) -> Result<Facts, String> {
        let mut said: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, value) in
            text.lines().take_while(|line| !line.starts_with("===")).filter_map(|line| line.split_once('\t'))
        {
            said.entry(name).or_insert(value);
        }
        if let Some(error) = said.get("refused") {
            return Err((*error).to_owned());
        }
        let number = |name: &str| -> Result<usize, String> {
            let value = said.get(name).ok_or_else(|| format!("{} no longer reports `{name}`", self.driver))?;
            value.parse::<f64>().map(|value| value as usize).map_err(|error| format!("{name}: {error}"))
        };
        let inner = inner_loop(self.language, code);
        let facts = match self.language {
            Language::Nvidia => Facts {
                registers: number("Number of GPRs")?,
                // What is moved to registers of another kind instead costs no memory.
                spills: number("Spills to memory")?,
                scratch: number("SLM size")?,
                instructions: number("Instruction count")?,
                in_flight: number("Max warps/SM")?,
                inner,
            },
            Language::Amd => Facts {
                registers: number("VGPRs")?,
                spills: number("Spilled VGPRs")? + number("Spilled SGPRs")?,
                scratch: number("Scratch size")?,
                instructions: number("Instructions")?,
                in_flight: number("Subgroups per SIMD")?,
                inner,
            },
            Language::Apple => Facts {
                // In halves.
                registers: number("GPRs")?.div_ceil(2),
                spills: number("Spills")?,
                scratch: number("Scratch")?,
                instructions: number("Instructions")?,
                in_flight: number("Threads")? / 32,
                inner,
            },
            Language::Adreno => Facts {
                // In vec4.
                registers: 4 * number("Registers used")?,
                spills: 0,
                // Accesses: spills among them.
                scratch: number("STP Count")? + number("LDP Count")?,
                instructions: number("Instruction Count")? - number("NOPs Count")?,
                in_flight: number("Max Waves Per Core")?,
                inner,
            },
            Language::Dxil => Facts::default(),
        };
        Ok(facts)
    }
}
