//! Commands and their arguments.

use axone::data::{Column, TableOptions};
use axone::train::Verbosity;
use axone::{Device, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  axone train iris.csv --target species            train a classifier, save model.safetensors and its report
  axone predict model.safetensors new.csv          a line for each row of new.csv
  axone predict model.onnx in.npz -o out.npz       an array for each output, by its name
  axone convert model.safetensors model.onnx       for onnxruntime
  axone inspect model.onnx                         layers, shapes, parameters

A command explains itself with `axone COMMAND --help`. The environment variable AXONE_DEVICE names a device, as --device does.";

/// Trains and runs dense neural networks on any GPU and on the CPU.
#[derive(Parser)]
#[command(name = "axone", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub struct Common {
    /// Where to compute: `cpu`, `software`, or a part of the name of a GPU [default: the best there is]
    #[arg(long, global = true, value_name = "NAME")]
    device: Option<String>,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Print the result and nothing beside it
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

impl Common {
    pub fn device(&self) -> Result<Device> {
        self.device.as_deref().map_or_else(Device::auto, Device::named)
    }

    /// The device that was asked for, if one was.
    pub fn named_device(&self) -> Option<&str> {
        self.device.as_deref()
    }

    pub fn verbosity(&self) -> Verbosity {
        if self.quiet { Verbosity::Silent } else { Verbosity::Bar }
    }

    /// A line on standard error, unless nobody wants to know.
    pub fn note(&self, line: &str) {
        if !self.quiet {
            crate::said::note(line);
        }
    }
}

#[derive(Subcommand)]
pub enum Command {
    /// Compute the outputs of a model for the rows of a file
    Predict(Predict),
    /// Train a network on a table
    Train(Train),
    /// Say how good a model is on rows whose targets are known
    Evaluate(Evaluate),
    /// Search for the hyperparameters of a network on a table, and train it with the best
    Search(Search),
    /// Show what is in a model file
    Inspect(Inspect),
    /// Write a model file in another format
    Convert(Convert),
    /// List the devices of this machine
    Devices,
    /// Hold every kernel against 64-bit arithmetic
    Check(Check),
    /// Measure training steps and predictions a second
    Bench(Bench),
    /// Print a script with which a shell completes arguments
    #[command(after_help = "Examples:\n  axone completions bash > ~/.local/share/bash-completion/completions/axone")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

// How a table is written.
#[derive(Args)]
pub struct Reading {
    /// The first line holds data; columns go by their numbers, from 0 on
    #[arg(long)]
    no_header: bool,
    /// The character between fields [default: a comma; in .tsv files a tab]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// Columns to leave out
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    ignore: Vec<String>,
}

fn delimiter(text: &str) -> std::result::Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() => Ok(*byte),
        _ => Err("one character that is no letter and no digit".to_owned()),
    }
}

impl Reading {
    /// `options` with what is said of the file at hand.
    pub fn of(&self, options: TableOptions) -> TableOptions {
        let options = if self.no_header { options.header(false) } else { options };
        self.delimiter.map_or(options.clone(), |delimiter| options.delimiter(delimiter))
    }

    pub fn columns(&self, texts: &[String]) -> Vec<Column> {
        texts.iter().map(|text| self.column(text)).collect()
    }

    pub fn column(&self, text: &str) -> Column {
        match text.parse() {
            Ok(index) if self.no_header => Column::Index(index),
            _ => Column::Name(text.to_owned()),
        }
    }

    pub fn ignored(&self) -> Vec<Column> {
        self.columns(&self.ignore)
    }
}

#[derive(Args)]
#[command(after_help = "\
Rows come as a table (.csv, .tsv, .parquet), as an array (.npy), or as arrays by the names of the inputs (.npz). A model that \
was trained on a table takes rows as they were there: columns by their names, names for classes and categories.
Results are written as a table (.csv, .tsv, .parquet: a column for each number), as the array of the first output (.npy), or as \
an array for each output by its name (.npz); without --output as CSV to standard output.

Examples:
  axone predict model.safetensors new.csv
  axone predict model.onnx in.npz --output out.npz
  axone predict model.keras rows.parquet --output predictions.csv")]
pub struct Predict {
    /// A model: .safetensors (of axone), .onnx, .keras or .h5
    pub model: PathBuf,
    /// Rows to predict from
    pub input: PathBuf,
    /// Where the results go
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
}

// What is to be learned, and of what.
#[derive(Args)]
pub struct Learning {
    /// A table: .csv, .tsv or .parquet
    pub data: PathBuf,
    /// The column to predict; several (of numbers) with commas between
    #[arg(long, short, required = true, value_name = "COLUMN,..", value_delimiter = ',')]
    pub target: Vec<String>,
    /// What kind of target it is [default: what its values look like]
    #[arg(long)]
    pub task: Option<Task>,
    /// Columns that hold names, even where they look like numbers
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub categories: Vec<String>,
    /// Share of the rows that are kept for the last judgement; 0 for none
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub test: f64,
    /// Share of the other rows by which training knows when to stop
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub validation: f64,
    /// Most epochs
    #[arg(long, default_value_t = 300)]
    pub epochs: usize,
    /// Epochs without a better validation loss after which training stops
    #[arg(long, default_value_t = 25)]
    pub patience: usize,
    /// Rows of a step [default: by the number of rows, from 8 to 256]
    #[arg(long)]
    pub batch: Option<usize>,
    /// Seed of all that is drawn
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Where the model goes: .safetensors or .onnx
    #[arg(long, short, value_name = "FILE", default_value = "model.safetensors")]
    pub output: PathBuf,
    /// Where the report goes, as JSON [default: beside the model, with .json for the end of its name]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Task {
    /// One of several classes
    Classification,
    /// Numbers
    Regression,
}

#[derive(Args)]
#[command(after_help = "\
Says what it takes each column for: numbers, categories, or nothing to learn from; what stands for missing values; and whether \
the target is classes or numbers. --task, --categories and --ignore say otherwise. The model keeps all that, so that \
`axone predict` takes rows as they are in the table.

Examples:
  axone train iris.csv --target species
  axone train houses.parquet --target price --ignore address --hidden 128,64 -o houses.safetensors")]
pub struct Train {
    #[command(flatten)]
    pub learning: Learning,
    /// Units of the hidden layers
    #[arg(long, value_name = "UNITS,..", value_delimiter = ',', default_value = "64,32")]
    pub hidden: Vec<usize>,
    /// Learning rate of Adam
    #[arg(long, value_name = "RATE", default_value_t = 0.002)]
    pub rate: f32,
    /// Share of the hidden units that are left out in each step
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub dropout: f32,
    /// Weight decay
    #[arg(long, value_name = "FACTOR", default_value_t = 0.0)]
    pub decay: f32,
}

#[derive(Args)]
#[command(after_help = "\
Looks where good trials are dense (TPE) for the number of hidden layers, their units, the learning rate, dropout and weight \
decay with the least validation loss; ends hopeless trials early; then trains as `axone train` does, with the best.

Examples:
  axone search iris.csv --target species --trials 30
  axone search houses.csv --target price --trials 200 --log trials.jsonl     goes on from there after a break")]
pub struct Search {
    #[command(flatten)]
    pub learning: Learning,
    /// How many combinations to try
    #[arg(long, default_value_t = 30)]
    pub trials: usize,
    /// How many at a time [default: as many as there are cores]
    #[arg(long)]
    pub workers: Option<usize>,
    /// Keeps each trial in this file; goes on from it where it is there
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  axone evaluate model.safetensors test.csv
  axone evaluate model.onnx test.csv --target label
  axone evaluate model.onnx test.npz --target y")]
pub struct Evaluate {
    /// A model: .safetensors (of axone), .onnx, .keras or .h5
    pub model: PathBuf,
    /// Rows with their targets
    pub data: PathBuf,
    /// The columns, or the array, of the targets [default: what the model was trained on]
    #[arg(long, short, value_name = "COLUMN,..", value_delimiter = ',')]
    pub target: Vec<String>,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  axone inspect model.safetensors\n  axone inspect weights.pt --json")]
pub struct Inspect {
    /// A model (.safetensors, .onnx, .keras, .h5), or weights of PyTorch (.pt, .safetensors)
    pub model: PathBuf,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Format {
    /// A model of axone, as safetensors
    Axone,
    /// ONNX
    Onnx,
    /// Weights by PyTorch's names, as safetensors
    Torch,
}

#[derive(Args)]
#[command(after_help = "\
Weights of PyTorch have no architecture: --like names a model file that has it. Layers are matched with modules by name, or as \
--module says.

Examples:
  axone convert model.onnx model.safetensors
  axone convert model.safetensors model.onnx
  axone convert model.safetensors weights.safetensors --to torch --module dense_1=fc1 --module dense_2=fc2
  axone convert weights.pt model.safetensors --like untrained.safetensors --module dense_1=0")]
pub struct Convert {
    /// A model (.safetensors, .onnx, .keras, .h5), or weights of PyTorch (.pt, .safetensors)
    pub from: PathBuf,
    /// The file to write
    pub to: PathBuf,
    /// The format to write [default: by the end of the name]
    #[arg(long = "to", value_name = "FORMAT")]
    pub format: Option<Format>,
    /// A model with the layers whose weights are read
    #[arg(long, value_name = "MODEL")]
    pub like: Option<PathBuf>,
    /// Which module of PyTorch a layer is
    #[arg(long = "module", value_name = "LAYER=MODULE", value_parser = module)]
    pub modules: Vec<(String, String)>,
}

fn module(text: &str) -> std::result::Result<(String, String), String> {
    let (layer, module) = text.split_once('=').ok_or("LAYER=MODULE, such as dense_1=fc1")?;
    Ok((layer.to_owned(), module.to_owned()))
}

#[derive(Args)]
#[command(after_help = "Examples:\n  axone check --quick\n  axone check --device software --json")]
pub struct Check {
    /// Few sizes instead of all
    #[arg(long)]
    pub quick: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  axone bench\n  axone bench --net 64-32-10 --batch 32 --device cpu")]
pub struct Bench {
    /// Widths of the network, inputs first
    #[arg(long, value_name = "WIDTHS", default_value = "784-512-256-10", value_parser = widths)]
    pub net: Widths,
    /// Rows of a training step
    #[arg(long, value_name = "ROWS", default_value_t = 128)]
    pub batch: usize,
    /// Seconds for each figure
    #[arg(long, default_value_t = 1.0)]
    pub seconds: f64,
}

/// Inputs, and the units of each layer.
#[derive(Clone)]
pub struct Widths {
    pub text: String,
    pub inputs: usize,
    pub units: Vec<usize>,
}

fn widths(text: &str) -> std::result::Result<Widths, String> {
    let widths: Option<Vec<usize>> =
        text.split('-').map(|width| width.parse().ok().filter(|width| *width > 0)).collect();
    match widths.as_deref() {
        Some([inputs, units @ ..]) if !units.is_empty() => {
            Ok(Widths { text: text.to_owned(), inputs: *inputs, units: units.to_vec() })
        }
        _ => Err("at least two widths of at least 1, such as 64-32-10".to_owned()),
    }
}
