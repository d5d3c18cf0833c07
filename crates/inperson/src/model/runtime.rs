//! ONNX Runtime: finding its library, and running graphs. The only file that names `ort`.
//!
//! The library is looked for at run time, so that a binary starts without it and can say what is missing. One
//! process holds one copy: the first path that loads stays.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock};

use ndarray::{ArrayD, ArrayViewD};
use ort::ep;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::TensorRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::card::{ModelCard, TensorSpec};
use super::registry::ModelEntry;
use crate::calibrate::Calibration;
use crate::error::{Error, Result};

/// Where graphs run. A device that was asked for and is absent is an error, never a quiet fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The NVIDIA accelerator of this number; needs the library of the `onnxruntime-gpu` wheel.
    Cuda(u32),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(n) => write!(f, "cuda:{n}"),
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", n)) if n.parse::<u32>().is_ok() => Ok(Self::Cuda(n.parse().unwrap_or_default())),
            _ => Err(Error::Config(format!("device `{text}` is not one of cpu, cuda, cuda:N"))),
        }
    }
}

/// How ONNX Runtime is found and used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RuntimeConfig {
    /// The library's file, or the folder that holds it. Default: looked for, see [`Runtime::load`].
    pub library: Option<PathBuf>,
    /// Where graphs run. Default: `cpu`.
    pub device: Device,
}

/// The loaded library and the device graphs run on. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    library: &'static Library,
    device: Device,
}

struct Library {
    path: PathBuf,
    environment: ort::environment::Environment,
}

static LIBRARY: OnceLock<Library> = OnceLock::new();
static LOADING: Mutex<()> = Mutex::new(());

impl Runtime {
    /// Loads ONNX Runtime 1.20 or newer. Looked for in this order: the configured path, `INPERSON_ORT_DYLIB`,
    /// `ORT_DYLIB_PATH`, beside the executable (`.` and `../lib`), the Python environment in `VIRTUAL_ENV` or
    /// `CONDA_PREFIX`, a `.venv` up to three folders above the executable, and last the system's own search path.
    ///
    /// # Errors
    /// [`Error::Runtime`] when it is not found, with every place that was tried, when it is too old, or when the configured
    /// one is not the one that this process has loaded already: there can only be one.
    pub fn load(config: &RuntimeConfig) -> Result<Self> {
        let guard = LOADING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let library = match LIBRARY.get() {
            Some(library) => {
                let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
                if let Some(asked) =
                    config.library.as_deref().map(library_at).filter(|a| whole(a) != whole(&library.path))
                {
                    let (asked, loaded) = (asked.display(), library.path.display());
                    return Err(Error::Runtime(format!(
                        "{asked} is asked for, and this process has loaded {loaded} already"
                    )));
                }
                library
            }
            None => {
                let loaded = open(&candidates(config.library.as_deref()))?;
                LIBRARY.get_or_init(|| loaded)
            }
        };
        drop(guard);
        Ok(Self { library, device: config.device })
    }

    /// The file ONNX Runtime was loaded from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.library.path
    }

    /// The device graphs run on.
    #[must_use]
    pub const fn device(&self) -> Device {
        self.device
    }

    /// What ONNX Runtime says of its own build.
    #[must_use]
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }

    /// Loads a model: checksum, graph, and the graph's tensors against the card's.
    ///
    /// # Errors
    /// [`Error::Model`] when one of them is wrong, [`Error::Runtime`] when the device is absent.
    pub fn model(&self, entry: &ModelEntry) -> Result<Model> {
        let bytes = entry.verified()?;
        let session = self.session(&entry.card.id, &bytes)?;
        check_tensors(&entry.card, &entry.card.inputs, session.inputs())?;
        check_tensors(&entry.card, &entry.card.outputs, session.outputs())?;
        let idle = Mutex::new(vec![session]);
        Ok(Model(Arc::new(Loaded { card: entry.card.clone(), bytes, runtime: self.clone(), idle })))
    }

    fn session(&self, name: &str, bytes: &[u8]) -> Result<Session> {
        let broken = |e: &dyn fmt::Display| Error::model(name, format!("ONNX Runtime cannot load it: {e}"));
        let mut builder = self.builder().map_err(|e| broken(&e))?;
        if let Device::Cuda(n) = self.device {
            let cuda = ep::CUDA::default().with_device_id(i32::try_from(n).unwrap_or(i32::MAX)).build();
            builder = builder
                .with_execution_providers([cuda.error_on_failure()])
                .map_err(|e| Error::Runtime(format!("device `{}` was asked for and is not there: {e}", self.device)))?;
        }
        builder.commit_from_memory(bytes).map_err(|e| broken(&e))
    }

    /// One thread a session: parallelism is across checks and interviews.
    fn builder(&self) -> ort::Result<SessionBuilder> {
        Ok(Session::builder(&self.library.environment)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            // plans of memory per shape of inputs, which vary: a third more memory for no time
            .with_memory_pattern(false)?
            .with_optimization_level(GraphOptimizationLevel::All)?)
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Runtime({}, {})", self.library.path.display(), self.device)
    }
}

fn open(places: &[(String, Option<PathBuf>)]) -> Result<Library> {
    let mut tried = Vec::new();
    for (label, place) in places {
        let Some(path) = place else {
            tried.push(format!("{label}: nothing there"));
            continue;
        };
        match ort::init_from(path).map_err(|e| e.to_string()).and_then(|b| b.build().map_err(|e| e.to_string())) {
            Ok(environment) => {
                tracing::debug!(path = %path.display(), place = label, "ONNX Runtime loaded");
                return Ok(Library { path: path.clone(), environment });
            }
            Err(e) => tried.push(format!("{label}: {e}")),
        }
    }
    Err(Error::Runtime(format!(
        "ONNX Runtime 1.20 or newer was not found; looked at {}; install it with `pip install onnxruntime` and \
         set INPERSON_ORT_DYLIB to its library",
        tried.join("; ")
    )))
}

/// The places to look, each with its label and the file found there. An explicit path is the only candidate.
fn candidates(explicit: Option<&Path>) -> Vec<(String, Option<PathBuf>)> {
    let named = |label: &str, path: &Path| (format!("{label} {}", path.display()), Some(library_at(path)));
    if let Some(path) = explicit {
        return vec![named("the configured path", path)];
    }
    for variable in ["INPERSON_ORT_DYLIB", "ORT_DYLIB_PATH"] {
        if let Some(path) = std::env::var_os(variable).filter(|v| !v.is_empty()) {
            return vec![named(variable, Path::new(&path))];
        }
    }
    let mut places: Vec<(String, Option<PathBuf>)> =
        ["INPERSON_ORT_DYLIB", "ORT_DYLIB_PATH"].map(|variable| (variable.to_owned(), None)).into();
    let executable = std::env::current_exe().ok();
    let beside = executable.as_deref().and_then(Path::parent);
    if let Some(beside) = beside {
        for folder in [beside.to_owned(), beside.join("../lib")] {
            places.push((format!("{}", folder.display()), library_in(&folder)));
        }
    }
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        let found = std::env::var_os(variable).and_then(|root| in_python(Path::new(&root)));
        places.push((variable.to_owned(), found));
    }
    // an executable in a checkout's target folder finds what the checkout's set-up installed
    let found = beside.into_iter().flat_map(Path::ancestors).take(4).find_map(|f| in_python(&f.join(".venv")));
    places.push((".venv above the executable".to_owned(), found));
    places.push(("the system's search path".to_owned(), Some(PathBuf::from(SYSTEM_NAME))));
    places
}

const SYSTEM_NAME: &str = if cfg!(target_os = "windows") {
    "onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so.1"
};

fn library_at(path: &Path) -> PathBuf {
    if path.is_dir() { library_in(path).unwrap_or_else(|| path.to_owned()) } else { path.to_owned() }
}

/// The wheel's file has a version in its name and no plain link beside it.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            name.starts_with("libonnxruntime.so")
                || name == "onnxruntime.dll"
                || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
        })
        .collect();
    found.sort();
    found.pop()
}

fn in_python(root: &Path) -> Option<PathBuf> {
    let unix = std::fs::read_dir(root.join("lib")).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    unix.map(|python| python.join("site-packages"))
        .chain([root.join("Lib/site-packages")])
        .find_map(|packages| library_in(&packages.join("onnxruntime/capi")))
}

fn check_tensors(card: &ModelCard, specs: &[TensorSpec], outlets: &[ort::value::Outlet]) -> Result<()> {
    for spec in specs {
        let shape = outlets.iter().find(|o| o.name() == spec.name).and_then(|o| o.dtype().tensor_shape());
        let Some(shape) = shape else {
            let has: Vec<&str> = outlets.iter().map(ort::value::Outlet::name).collect();
            let reason = format!("model.toml names tensor `{}`, the graph has {}", spec.name, has.join(", "));
            return Err(Error::model(&card.id, reason));
        };
        let fits =
            shape.len() == spec.shape.len() && shape.iter().zip(&spec.shape).all(|(&g, &c)| g == c || g < 0 || c < 0);
        if !fits {
            let (name, want) = (&spec.name, &spec.shape);
            return Err(Error::model(&card.id, format!("tensor `{name}` is {shape}, model.toml says {want:?}")));
        }
    }
    Ok(())
}

/// One loaded graph: shared, immutable, cheap to clone, usable from many threads.
#[derive(Clone)]
pub struct Model(Arc<Loaded>);

struct Loaded {
    card: ModelCard,
    bytes: Cow<'static, [u8]>,
    runtime: Runtime,
    /// A run needs a session for itself; one more is opened when all are busy.
    idle: Mutex<Vec<Session>>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model({} {})", self.0.card.id, self.0.card.version)
    }
}

impl Model {
    /// What `model.toml` says of it.
    #[must_use]
    pub fn card(&self) -> &ModelCard {
        &self.0.card
    }

    /// How its raw scores become log-likelihood ratios.
    ///
    /// # Errors
    /// [`Error::Model`] when its card has no calibration: its scores cannot become evidence.
    pub fn calibration(&self) -> Result<Calibration> {
        let card = self.card();
        let none = || Error::model(&card.id, "model.toml has no [calibration]: scores cannot become evidence");
        card.calibration.ok_or_else(none)
    }

    /// How its raw scores of this name become log-likelihood ratios.
    ///
    /// # Errors
    /// [`Error::Model`] when its card has no such calibration.
    pub fn calibration_of(&self, name: &str) -> Result<Calibration> {
        let card = self.card();
        let none = || Error::model(&card.id, format!("model.toml has no [calibrations.{name}]"));
        card.calibrations.get(name).copied().ok_or_else(none)
    }

    /// Runs the graph: inputs in the order of the card, outputs in the order of the card.
    ///
    /// # Errors
    /// [`Error::Model`] when an input does not fit the contract or the graph fails.
    pub fn run(&self, inputs: &[ArrayViewD<'_, f32>]) -> Result<Vec<ArrayD<f32>>> {
        let Loaded { card, bytes, runtime, idle } = &*self.0;
        if inputs.len() != card.inputs.len() {
            let (want, got) = (card.inputs.len(), inputs.len());
            return Err(Error::model(&card.id, format!("takes {want} inputs, got {got}")));
        }
        for (spec, input) in card.inputs.iter().zip(inputs) {
            let fits = spec.shape.len() == input.ndim()
                && spec.shape.iter().zip(input.shape()).all(|(&want, &got)| want < 0 || want == got as i64);
            if !fits {
                let (name, want, got) = (&spec.name, &spec.shape, input.shape());
                return Err(Error::model(&card.id, format!("input `{name}` must be {want:?}, got {got:?}")));
            }
        }
        let held = idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        let mut session = match held {
            Some(session) => session,
            None => runtime.session(&card.id, bytes)?,
        };
        let result = run_session(&mut session, card, inputs).map_err(|e| Error::model(&card.id, e.to_string()));
        idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(session);
        result
    }
}

fn run_session(
    session: &mut Session,
    card: &ModelCard,
    inputs: &[ArrayViewD<'_, f32>],
) -> ort::Result<Vec<ArrayD<f32>>> {
    let standard: Vec<_> = inputs.iter().map(|a| a.as_standard_layout()).collect();
    let mut named = Vec::with_capacity(inputs.len());
    for (spec, array) in card.inputs.iter().zip(&standard) {
        named.push((spec.name.as_str(), TensorRef::from_array_view(array.view())?));
    }
    let outputs = session.run(named)?;
    card.outputs.iter().map(|spec| Ok(outputs[spec.name.as_str()].try_extract_array::<f32>()?.to_owned())).collect()
}
