//! Serves a model over HTTP: rows in as JSON, classes and probabilities out.
//!
//! `cargo run --release --example serve -- [MODEL] [--port 8080] [--load SECONDS]`
//!
//! ```sh
//! curl localhost:8080/predict -d '{"rows": [[0, 0, 5, 13, ..]]}'        # numbers, as the model takes them
//! curl localhost:8080/predict -d '{"rows": [{"size": 60, "town": "Ulm"}]}' # columns of the table it was trained on
//! ```
//!
//! A thread waits for each connection, and none computes: rows queue up, and one thread takes all that wait to the device
//! together. So nobody waits for company while little is asked, and batches grow with the load. What is wrong with a row is
//! said with status 400 to the one who sent it. Ctrl-C lets what was asked be answered, and ends the program.
//!
//! MODEL is a file of `Model::save` with a single input, or raw rows for its schema. Without one a classifier of the bundled
//! digits is trained first. With `--load` the program asks itself over loopback, from 1, 8 and 64 connections at a time.

#[path = "common/arguments.rs"]
mod arguments;

use arguments::Arguments;
use axone::data::{Matrix, Schema, Table, digits};
use axone::model::Predictor;
use axone::prelude::*;
use oxhttp::model::{Body, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const USAGE: &str = "usage: serve [MODEL] [--port 8080] [--load SECONDS]

Serves MODEL, or a classifier of digits, at http://localhost:8080/predict.
  --port PORT     another port
  --load SECONDS  asks itself from 1, 8 and 64 connections, says how that went, and ends";

/// Longest request that is read.
const MOST_BYTES: u64 = 1 << 24;
/// Most rows that are computed together.
const MOST_ROWS: usize = 4096;
/// How long a connection may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let (mut model, mut port, mut load) = (None, 8080, None);
    let mut arguments = Arguments::new(USAGE);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--port" => port = arguments.value("--port"),
            "--load" => load = Some(arguments.value("--load")),
            option if option.starts_with('-') => arguments.unknown(option),
            _ => model = Some(argument),
        }
    }
    match run(model.as_deref(), port, load) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("serve: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: Option<&str>, port: u16, load: Option<f64>) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let device = Device::auto()?;
    let mut model = match path {
        Some(path) => Model::load_from(path, device)?,
        None => digits_model(device)?,
    };
    let service = Arc::new(Service::of(&mut model)?);
    let batches = thread::spawn({
        let service = Arc::clone(&service);
        move || service.compute()
    });

    // A port that is free, where the program asks itself.
    let port = if load.is_some() { TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port() } else { port };
    let answer = {
        let service = Arc::clone(&service);
        move |request: &mut Request<Body>| service.answer(request)
    };
    let server = oxhttp::Server::new(answer).with_global_timeout(PATIENCE).with_max_concurrent_connections(1024);
    let _listening = server.bind((Ipv4Addr::LOCALHOST, port)).spawn()?;
    match load {
        Some(seconds) => {
            println!("{}", model.device().info());
            [1, 8, 64].into_iter().try_for_each(|clients| service.load(port, clients, seconds))?;
            service.stop();
        }
        None => {
            let stopping = Arc::clone(&service);
            ctrlc::set_handler(move || stopping.stop())?;
            eprintln!("serving at http://localhost:{port}/predict; Ctrl-C ends it");
        }
    }
    batches.join().map_err(|_| "the thread that computes has panicked")?;
    while service.open.load(Ordering::SeqCst) > 0 {
        thread::sleep(Duration::from_millis(1));
    }
    // The last answers are written behind our back.
    thread::sleep(Duration::from_millis(50));
    Ok(())
}

fn digits_model(device: Device) -> Result<Model> {
    let data = digits()?.scale_inputs(1.0 / 16.0)?;
    let net = Sequential::new(64).add(Dense::new(32).activation(Activation::Relu));
    let net = net.add(Dense::new(10).activation(Activation::Softmax));
    let mut model = net.compile(device, Loss::CategoricalCrossEntropy, Adam::new(0.005))?;
    model.fit(&data, &Fit::new().epochs(10).silent())?;
    Ok(model)
}

/// Rows of one request, and where their answer is awaited.
struct Job {
    x: Vec<Matrix>,
    reply: mpsc::Sender<Result<Matrix>>,
}

/// A model, and the rows that wait for it.
struct Service {
    predictor: Predictor,
    schema: Option<Schema>,
    width: usize,
    queue: Mutex<Vec<Job>>,
    arrived: Condvar,
    stopping: AtomicBool,
    /// Requests that are not answered yet.
    open: AtomicU64,
    /// Rows and batches so far.
    rows: AtomicU64,
    batches: AtomicU64,
}

impl Service {
    fn of(model: &mut Model) -> Result<Self> {
        let schema = model.schema().cloned();
        let width = match model.program().network().input_shapes().as_slice() {
            [(_, shape)] => shape.iter().product(),
            _ if schema.is_some() => 0,
            _ => return Err(Error::Device("a model of several inputs, without the schema of a table".to_owned())),
        };
        Ok(Self {
            predictor: model.predictor()?,
            schema,
            width,
            queue: Mutex::default(),
            arrived: Condvar::new(),
            stopping: AtomicBool::new(false),
            open: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            batches: AtomicU64::new(0),
        })
    }

    /// Takes no more rows. Said under the lock of the queue, so that none slips in behind the last look at it.
    fn stop(&self) {
        let _queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        self.stopping.store(true, Ordering::SeqCst);
        self.arrived.notify_all();
    }

    /// Takes what waits to the device until the service stops and nothing waits any more.
    fn compute(&self) {
        loop {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            while queue.is_empty() {
                if self.stopping.load(Ordering::SeqCst) {
                    return;
                }
                queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            let mut taken = 0;
            let fits = |job: &Job| {
                taken += job.x[0].rows();
                taken <= MOST_ROWS
            };
            let some = queue.iter().map(fits).take_while(|fits| *fits).count().max(1);
            let jobs: Vec<Job> = queue.drain(..some).collect();
            drop(queue);
            self.batch(&jobs);
        }
    }

    fn batch(&self, jobs: &[Job]) {
        let counts: Vec<usize> = jobs.iter().map(|job| job.x[0].rows()).collect();
        self.rows.fetch_add(counts.iter().sum::<usize>() as u64, Ordering::Relaxed);
        self.batches.fetch_add(1, Ordering::Relaxed);
        let together = |input: usize| Matrix::from_rows(jobs.iter().flat_map(|job| job.x[input].iter_rows()));
        let inputs: Result<Vec<Matrix>> = (0..jobs[0].x.len()).map(together).collect();
        let outputs = inputs.and_then(|inputs| self.predictor.predict_all(&inputs));
        let mut from = 0;
        for (job, count) in jobs.iter().zip(counts) {
            let part: Vec<usize> = (from..from + count).collect();
            from += count;
            // Who has gone wants no answer.
            let _gone = job.reply.send(match &outputs {
                Ok(outputs) => outputs[0].select(&part),
                Err(error) => Err(error.clone()),
            });
        }
    }

    fn answer(&self, request: &mut Request<Body>) -> Response<Body> {
        self.open.fetch_add(1, Ordering::SeqCst);
        let (status, body) = match (request.method().as_str(), request.uri().path()) {
            ("POST", "/predict") => match self.predict(request.body_mut()) {
                Ok(answer) => (StatusCode::OK, answer),
                Err(_) if self.stopping.load(Ordering::SeqCst) => {
                    (StatusCode::SERVICE_UNAVAILABLE, json!({ "error": "ending" }))
                }
                Err(problem) => (StatusCode::BAD_REQUEST, json!({ "error": problem })),
            },
            ("GET", "/health") => (StatusCode::OK, json!({ "status": "ready" })),
            (_, "/predict" | "/health") => {
                (StatusCode::METHOD_NOT_ALLOWED, json!({ "error": "POST /predict, GET /health" }))
            }
            _ => (StatusCode::NOT_FOUND, json!({ "error": "POST /predict, GET /health" })),
        };
        let response = Response::builder().status(status).header("content-type", "application/json");
        let response = response.body(Body::from(body.to_string()));
        self.open.fetch_sub(1, Ordering::SeqCst);
        response.unwrap_or_else(|_| Response::new(Body::empty()))
    }

    fn predict(&self, body: &mut Body) -> std::result::Result<Value, String> {
        let mut text = String::new();
        body.take(MOST_BYTES).read_to_string(&mut text).map_err(|error| error.to_string())?;
        let request: Value = serde_json::from_str(&text).map_err(|error| format!("no JSON: {error}"))?;
        let rows = request["rows"].as_array().filter(|rows| !rows.is_empty());
        let rows = rows.ok_or("expected {\"rows\": [..]} with at least one row")?;
        let x = match (&self.schema, rows[0].is_object()) {
            (Some(schema), true) => schema.inputs(&table(schema, rows)?).map_err(|error| error.to_string())?,
            _ => vec![self.numbers(rows)?],
        };
        let (reply, answer) = mpsc::channel();
        {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            if self.stopping.load(Ordering::SeqCst) {
                return Err("ending".to_owned());
            }
            queue.push(Job { x, reply });
        }
        self.arrived.notify_one();
        let outputs = answer.recv().map_err(|_| "ending".to_owned())?.map_err(|error| error.to_string())?;
        let rows: Vec<&[f32]> = outputs.iter_rows().collect();
        let classes = outputs.iter_rows().map(|row| self.class(row)).collect::<Vec<_>>();
        Ok(json!({ "classes": classes, "probabilities": rows }))
    }

    /// The class of a row of probabilities, by its name if it has one.
    fn class(&self, row: &[f32]) -> Value {
        let class = match row {
            [yes] => usize::from(*yes > 0.5),
            _ => (1..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best }),
        };
        let labels = self.schema.as_ref().and_then(|schema| schema.labels());
        labels.and_then(|labels| labels.name(class as u32)).map_or(json!(class), |name| json!(name))
    }

    /// Rows of numbers, each checked here, so that a wrong one is its sender's alone.
    fn numbers(&self, rows: &[Value]) -> std::result::Result<Matrix, String> {
        let mut data = Vec::with_capacity(rows.len() * self.width);
        for (place, row) in rows.iter().enumerate() {
            let row = row.as_array().ok_or_else(|| format!("row {place}: expected numbers, got {row}"))?;
            if row.len() != self.width || self.width == 0 {
                return Err(format!("row {place}: expected {} numbers, got {}", self.width, row.len()));
            }
            for (column, value) in row.iter().enumerate() {
                let number = value.as_f64().map(|number| number as f32).filter(|number| number.is_finite());
                data.push(number.ok_or_else(|| format!("row {place}, column {column}: {value} is no finite number"))?);
            }
        }
        Matrix::new(rows.len(), self.width, data).map_err(|error| error.to_string())
    }

    /// Asks the server on `port` from so many connections at a time, a row each.
    fn load(&self, port: u16, clients: usize, seconds: f64) -> std::io::Result<()> {
        let row = vec![0.5; self.width];
        let body = json!({ "rows": [row] }).to_string();
        let request =
            format!("POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let (rows, batches) = (self.rows.load(Ordering::Relaxed), self.batches.load(Ordering::Relaxed));
        let ask = || -> std::io::Result<Vec<Duration>> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_nodelay(true)?;
            let mut answers = BufReader::new(stream.try_clone()?);
            let (start, mut times) = (Instant::now(), Vec::new());
            while start.elapsed().as_secs_f64() < seconds {
                let begin = Instant::now();
                stream.write_all(request.as_bytes())?;
                let answer = read_answer(&mut answers)?;
                assert!(answer.starts_with("{\"classes\""), "{answer}");
                times.push(begin.elapsed());
            }
            Ok(times)
        };
        let times: std::io::Result<Vec<Vec<Duration>>> = thread::scope(|scope| {
            let asking: Vec<_> = (0..clients).map(|_| scope.spawn(ask)).collect();
            let panicked = |_| Err(std::io::Error::other("a client has panicked"));
            asking.into_iter().map(|client| client.join().unwrap_or_else(panicked)).collect()
        });
        let mut times = times?.concat();
        times.sort();
        let at =
            |share: f64| times.get((times.len() as f64 * share) as usize).map_or(f64::NAN, Duration::as_secs_f64) * 1e6;
        let rows = (self.rows.load(Ordering::Relaxed) - rows) as f64;
        let batches = (self.batches.load(Ordering::Relaxed) - batches) as f64;
        println!(
            "{clients:>3} connections: {:>8.0} requests/s, median {:>6.0} µs, 99 of 100 within {:>6.0} µs, {:.1} rows a batch",
            times.len() as f64 / seconds,
            at(0.5),
            at(0.99),
            rows / batches
        );
        Ok(())
    }
}

/// Rows of columns by name, as a table.
fn table(schema: &Schema, rows: &[Value]) -> std::result::Result<Table, String> {
    let names: Vec<String> = schema.input_columns().iter().map(ToString::to_string).collect();
    let field = |row: &Value, name: &String| match row.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let fields = rows.iter().map(|row| names.iter().map(|name| field(row, name)).collect::<Vec<_>>());
    Table::from_rows(names.iter().cloned(), fields).map_err(|error| error.to_string())
}

/// The body of an answer that says its length.
fn read_answer(answers: &mut impl BufRead) -> std::io::Result<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let line = line.trim_end().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().map_err(std::io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    String::from_utf8(body).map_err(std::io::Error::other)
}
