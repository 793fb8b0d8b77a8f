"""The programs that run.py lets take turns: how each is built, started and asked."""
import glob, os, selectors, shutil, subprocess, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# Lavapipe alone, where a row wants it: two of the peers take the first Vulkan adapter they find.
LAVAPIPE = ":".join(sorted(glob.glob("/usr/share/vulkan/icd.d/lvp_icd*.json")))
# Seconds to wait for an answer. burn's autotune takes most of a minute on lavapipe.
PATIENCE = 400


class Program:
    """NAME; the crate it is built from, or None for Python; its features; its arguments; its environment."""

    def __init__(self, name, crate, features="", arguments=(), environment=None):
        self.name, self.crate, self.features = name, crate, features
        self.arguments, self.environment = list(arguments), environment or {}

    def folder(self):
        return self.crate + (f"-{self.features}" if self.features else "")


def table(device):
    """Every program, by name. `device` is the adapter of the programs on a GPU: `software` or a part of a name."""
    gpu = {"BURN_ADAPTER": "cpu"} if device == "software" else {}
    if device == "software" and LAVAPIPE:
        gpu |= {"VK_DRIVER_FILES": LAVAPIPE, "VK_ICD_FILENAMES": LAVAPIPE}
    threads = lambda n: {"RAYON_NUM_THREADS": str(n)}
    programs = [
        Program("axone-gpu", "axone", arguments=[device], environment=gpu),
        Program("axone-cpu", "axone", arguments=["cpu"]),
        Program("axone-grid", "axone", "grid"),
        Program("scikit-learn", None),
        Program("onnxruntime", None),
        Program("burn-wgpu", "burn", "wgpu", environment=gpu),
        Program("burn-vulkan", "burn", "vulkan", environment=gpu),
        Program("meganeura", "meganeura", environment=gpu),
        Program("pytorch-cpu", None, arguments=["cpu", "eager"]),
        Program("pytorch-eager", None, arguments=["cuda", "eager"]),
        Program("pytorch-compile", None, arguments=["cuda", "compile"]),
        Program("pytorch-graph", None, arguments=["cuda", "graph"]),
    ]
    for n in (1, 2):
        programs.append(Program(f"candle-{n}", "candle", environment=threads(n)))
        programs.append(Program(f"burn-flex-{n}", "burn", "flex", environment=threads(n)))
    return {program.name: program for program in programs}


def cargo(*arguments, target=None, crate=None):
    """A cargo command in a peer's folder; its output goes to the terminal, or comes back where it is asked for."""
    environment = dict(os.environ)
    if target:
        environment["CARGO_TARGET_DIR"] = target
    folder = os.path.join(HERE, crate) if crate else ROOT
    return subprocess.run(["cargo", *arguments], cwd=folder, env=environment, check=True, stdout=subprocess.PIPE).stdout


class Programs:
    """Where the programs lie. `prebuilt` is a folder of binaries FOLDER-peer that are taken as they are."""

    def __init__(self, device, target, prebuilt, python):
        self.table, self.target, self.prebuilt, self.python = table(device), target, prebuilt, python

    def build(self, program):
        arguments = ["--features", program.features] if program.features else []
        target = os.path.join(self.target, program.folder())
        cargo("build", "--release", "--locked", *arguments, target=target, crate=program.crate)

    def command(self, program):
        if program.name == "scikit-learn":
            return [self.python, os.path.join(HERE, "sklearn_grid.py"), program.name]
        if program.name == "onnxruntime":
            return [self.python, os.path.join(HERE, "onnx_predict.py"), "--turns", program.name]
        if program.crate is None:
            return [self.python, os.path.join(HERE, "pytorch_steps.py"), *program.arguments, "--turns", program.name]
        if self.prebuilt:
            path = os.path.join(self.prebuilt, f"{program.folder()}-peer")
        else:
            path = os.path.join(self.target, program.folder(), "release", f"{program.crate}-peer")
        return [path, program.name, *program.arguments]

    def start(self, name, environment=None):
        program = self.table[name]
        if program.crate and not self.prebuilt:
            self.build(program)
        return Running(name, self.command(program), program.environment | (environment or {}))


class Running:
    """A started program. After a failure it answers None to everything."""

    def __init__(self, name, command, environment):
        self.name, self.about, self.failure, self.begun = name, "", None, time.perf_counter()
        try:
            self.process = subprocess.Popen(
                command, env=dict(os.environ) | environment, cwd=environment.get("HOME"), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        except OSError as error:
            self.process, self.failure = None, str(error)
            return
        self.text = b""
        self.ready = selectors.DefaultSelector()
        self.ready.register(self.process.stdout, selectors.EVENT_READ)

    def ask(self, net, optimizer, seconds):
        """The last word of the answer, or None."""
        if self.failure:
            return None
        try:
            self.process.stdin.write(f"{net} {optimizer} {seconds}\n".encode())
            self.process.stdin.flush()
            line = self.line(seconds)
            while line.startswith("#") or not line.startswith(f"{self.name} {net} "):
                self.about = line[2:] if line.startswith("# ") else self.about
                line = self.line(seconds)
        except (OSError, EOFError, TimeoutError) as error:
            self.process.kill()
            status = self.process.wait()
            self.failure = f"{error or type(error).__name__} (exit {status})"
            return None
        return line.split()[-1]

    def line(self, seconds):
        until = time.monotonic() + PATIENCE + seconds
        while b"\n" not in self.text:
            if not self.ready.select(max(0.0, until - time.monotonic())):
                raise TimeoutError(f"no answer in {PATIENCE + seconds:.0f} s")
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                raise EOFError("it ended")
            self.text += more
        line, self.text = self.text.split(b"\n", 1)
        return line.decode()

    def stop(self):
        if self.process:
            self.process.stdin.close()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def crates(crate, *arguments):
    """How many crates a program is made of, itself included: what `cargo tree` lists for running it."""
    lines = cargo("tree", "--edges", "normal", "--prefix", "none", "--locked", *arguments, crate=crate).decode()
    return len({line.removesuffix(" (*)").removesuffix(" (proc-macro)") for line in lines.splitlines() if line})


def clean_build(crate, target):
    """Seconds of a release build from nothing, and bytes of the program without its symbols."""
    shutil.rmtree(target, ignore_errors=True)
    begun = time.perf_counter()
    cargo("build", "--release", "--locked", "--quiet", target=target, crate=crate)
    seconds = time.perf_counter() - begun
    binary = os.path.join(target, "release", "bare" if crate == "bare" else f"{crate}-peer")
    subprocess.run(["strip", binary], check=True)
    size = os.path.getsize(binary)
    shutil.rmtree(target)
    return seconds, size
