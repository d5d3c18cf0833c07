//! The Python package's native part: a thin skin over the library. Everything that takes time releases the GIL.

mod process;
mod session;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use inperson::detect::answers;
use inperson::model::{Device, Registry, Runtime};
use inperson::report::SCHEMA_VERSION;
use inperson::track::{CONTEXT, CROP, MOUTH};
use inperson::{Limits, MediaInfo, Timestamp, Transcript, media};
use numpy::ndarray::{Array1, Array2, Array3, Array4, Axis};
use numpy::{IntoPyArray, PyArray1, PyArrayMethods};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};

use process::{Work, goes_on, same_process};
use session::Session;

create_exception!(inperson._native, Error, PyException, "Could not look: the base of all errors of this package.");
create_exception!(inperson._native, InputError, Error, "A file cannot be read or is not media.");
create_exception!(inperson._native, LimitError, Error, "A limit was passed.");
create_exception!(inperson._native, ModelError, Error, "ONNX Runtime or a model cannot be loaded.");
create_exception!(inperson._native, TranscriberError, Error, "The transcriber failed or gave no transcript.");
create_exception!(inperson._native, ConfigError, Error, "The configuration contradicts itself.");
create_exception!(inperson._native, Cancelled, Error, "The progress callback asked to stop.");

fn raise(error: inperson::Error) -> PyErr {
    let text = error.to_string();
    match error {
        inperson::Error::Io { .. } | inperson::Error::Media { .. } | inperson::Error::Unsupported(_) => {
            InputError::new_err(text)
        }
        inperson::Error::Limit { .. } => LimitError::new_err(text),
        inperson::Error::Runtime(_) | inperson::Error::Model { .. } => ModelError::new_err(text),
        inperson::Error::Transcriber { .. } => TranscriberError::new_err(text),
        inperson::Error::Config(_) => ConfigError::new_err(text),
        inperson::Error::Cancelled => Cancelled::new_err(text),
        _ => Error::new_err(text),
    }
}

/// Pictures and sound may come from threads of their own, and a thread that failed leaves what it had.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn written(json: serde_json::Result<String>) -> PyResult<String> {
    json.map_err(|e| Error::new_err(e.to_string()))
}

fn parsed(config: &str) -> PyResult<inperson::Config> {
    serde_json::from_str(config).map_err(|e| {
        let values = serde_json::from_str(config).unwrap_or_default();
        let named = unreadable(&values, &mut Vec::new()).unwrap_or_else(|| e.to_string());
        ConfigError::new_err(format!("configuration: {named}"))
    })
}

/// The innermost field that cannot be read by itself, and why: lines and columns say nothing to a caller who wrote no JSON.
fn unreadable<'a>(value: &'a Value, path: &mut Vec<&'a str>) -> Option<String> {
    for (name, inner) in value.as_object().into_iter().flatten() {
        path.push(name);
        if let Some(found) = unreadable(inner, path) {
            return Some(found);
        }
        path.pop();
    }
    let alone = path.iter().rev().fold(value.clone(), |inner, &name| json!({ name: inner }));
    let error = serde_json::from_value::<inperson::Config>(alone).err()?;
    Some(if path.is_empty() { error.to_string() } else { format!("{}: {error}", path.join(".")) })
}

/// What a command (a string) or a callable of the caller's makes of a WAV file.
fn recognised(
    transcriber: &Py<PyAny>,
    wav: &Path,
    limits: &Limits,
    raised: &mut Option<PyErr>,
) -> inperson::Result<String> {
    let said = Python::try_attach(|py| match transcriber.extract::<String>(py) {
        Ok(command) => Ok(Err(command)),
        Err(_) => transcriber.call1(py, (wav,))?.extract::<String>(py).map(Ok),
    });
    match said {
        Some(Ok(Ok(text))) => Ok(text),
        Some(Ok(Err(command))) => media::run_transcriber_with(&command, wav, limits, || goes_on(raised, |_| Ok(true))),
        Some(Err(error)) => {
            *raised = Some(error);
            Err(inperson::Error::Cancelled)
        }
        None => Err(inperson::Error::Cancelled),
    }
}

/// Configuration and models, shared by all analyses made with it.
#[pyclass(frozen, module = "inperson._native")]
struct Analyzer(inperson::Analyzer);

#[pymethods]
impl Analyzer {
    /// From a configuration as JSON.
    #[new]
    fn new(py: Python<'_>, config: &str) -> PyResult<Self> {
        let config = parsed(config)?;
        let _work = Work::begin()?;
        py.detach(|| inperson::Analyzer::new(config)).map(Self).map_err(raise)
    }

    /// The configuration in force as JSON.
    fn config(&self) -> PyResult<String> {
        written(serde_json::to_string(self.0.config()))
    }

    /// The report on a file as JSON. `progress` is called with seconds done and in all; what is false, other than None, cancels.
    #[pyo3(signature = (path, progress=None, transcript=None, transcriber=None))]
    fn analyze(
        &self,
        py: Python<'_>,
        path: PathBuf,
        progress: Option<Py<PyAny>>,
        transcript: Option<PathBuf>,
        transcriber: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let _work = Work::begin()?;
        let mut raised = None;
        let report = py.detach(|| {
            let limits = &self.0.config().limits;
            let transcript = match (transcript, transcriber) {
                (Some(file), _) => Some(Transcript::read(&file, limits)?),
                (None, Some(call)) => {
                    Some(self.0.transcribe(&path, |wav| recognised(&call, wav, limits, &mut raised))?)
                }
                (None, None) => None,
            };
            self.0.analyze_with_transcript(&path, transcript.as_ref(), |p| {
                goes_on(&mut raised, |py| match &progress {
                    Some(call) => {
                        let said = call.call1(py, (p.done_s, p.total_s))?;
                        Ok(said.is_none(py) || said.is_truthy(py)?)
                    }
                    None => Ok(true),
                })
            })
        });
        match (raised, report) {
            (Some(e), _) => Err(e),
            (None, report) => report.and_then(|r| r.to_json()).map_err(raise),
        }
    }

    /// What the checks are given of a file, as arrays by name.
    fn observe<'py>(&self, py: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyDict>> {
        let _work = Work::begin()?;
        let mut raised = None;
        let seen = py.detach(|| self.0.observe_with(path, |_| goes_on(&mut raised, |_| Ok(true))));
        let seen = raised.map_or_else(|| seen.map_err(raise), Err)?;
        let faces: Vec<_> = seen.faces.iter().filter(|f| !f.mesh.is_empty() && f.crop.is_some()).collect();
        let n = faces.len();
        let mut mesh = Array3::<f32>::zeros((n, 478, 2));
        let mut crop = Array4::<u8>::zeros((n, CROP, CROP, 3));
        let mut context = Array4::<u8>::zeros((n, CONTEXT, CONTEXT, 3));
        let mut mouth = Array3::<u8>::zeros((n, MOUTH, MOUTH));
        for (k, face) in faces.iter().enumerate() {
            let points = face.mesh.iter().flatten().copied();
            mesh.index_axis_mut(Axis(0), k).iter_mut().zip(points).for_each(|(to, v)| *to = v);
            let rgb = face.crop.iter().flat_map(|c| c.iter().copied());
            crop.index_axis_mut(Axis(0), k).iter_mut().zip(rgb).for_each(|(to, v)| *to = v);
            let rgb = face.context.iter().flat_map(|c| c.iter().copied());
            context.index_axis_mut(Axis(0), k).iter_mut().zip(rgb).for_each(|(to, v)| *to = v);
            let luma = face.mouth.iter().flat_map(|m| m.iter().copied());
            mouth.index_axis_mut(Axis(0), k).iter_mut().zip(luma).for_each(|(to, v)| *to = v);
        }
        let out = PyDict::new(py);
        let seconds = |t: Timestamp| t.seconds();
        out.set_item("at", Array1::from_iter(faces.iter().map(|f| seconds(f.at))).into_pyarray(py))?;
        out.set_item("track", Array1::from_iter(faces.iter().map(|f| f.track)).into_pyarray(py))?;
        out.set_item("mesh", mesh.into_pyarray(py))?;
        out.set_item("crop", crop.into_pyarray(py))?;
        out.set_item("context", context.into_pyarray(py))?;
        out.set_item("mouth", mouth.into_pyarray(py))?;
        out.set_item("audio", Array1::from(seen.audio).into_pyarray(py))?;
        let spans = Array2::from_shape_fn((seen.speech.len(), 2), |(i, j)| {
            seconds(if j == 0 { seen.speech[i].start } else { seen.speech[i].end })
        });
        out.set_item("speech", spans.into_pyarray(py))?;
        out.set_item("candidate", seen.tracks.candidate)?;
        Ok(out)
    }

    /// A session for pictures and sound that are pushed.
    fn session(&self, name: String, video: bool, audio: bool) -> PyResult<Session> {
        same_process()?;
        let session = self.0.session(MediaInfo::live(name.as_str(), video, audio)).map_err(raise)?;
        Ok(Session::new(name, session))
    }
}

/// Judges the wording of answers.
#[pyclass(frozen, module = "inperson._native")]
struct Wording(answers::Wording);

#[pymethods]
impl Wording {
    /// From a configuration as JSON; of it, `models` and `runtime` count.
    #[new]
    fn new(py: Python<'_>, config: &str) -> PyResult<Self> {
        let config = parsed(config)?;
        let _work = Work::begin()?;
        py.detach(|| {
            let runtime = Runtime::load(&config.runtime)?;
            let registry = config.models.as_deref().map_or_else(Registry::built_in, Registry::with_folder)?;
            answers::Wording::load(&runtime, &registry)
        })
        .map(Self)
        .map_err(raise)
    }

    /// What is said of one answer, as JSON.
    #[pyo3(signature = (answer, question=None))]
    fn judge(&self, py: Python<'_>, answer: &str, question: Option<&str>) -> PyResult<String> {
        let _work = Work::begin()?;
        let judged = py.detach(|| self.0.judge(question, answer)).map_err(raise)?;
        written(serde_json::to_string(&judged))
    }
}

/// Answers seen so far, to find those that were given before, in other candidates' interviews.
///
/// What is kept of an answer is hashes of its runs of five words, not its words. Answers of fewer than 30 words are left out: they are
/// like nothing. Many runs in common do not come about by chance, but may come from one book, one course or one model.
#[pyclass(frozen, module = "inperson")]
#[derive(Default)]
struct NearIndex(Mutex<answers::NearIndex>);

#[pymethods]
impl NearIndex {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Holds an answer, under any id, for later ones to be compared with.
    fn add(&self, py: Python<'_>, id: String, answer: &str) -> PyResult<()> {
        let _work = Work::begin()?;
        py.detach(|| locked(&self.0).add(id, answer));
        Ok(())
    }

    /// Answers held that share at least `least` (0 to 1) of the shorter one's runs with this one: their ids with that share, most
    /// alike first. Raises ValueError where `least` is no such share.
    #[pyo3(signature = (answer, least=0.2))]
    fn like(&self, py: Python<'_>, answer: &str, least: f64) -> PyResult<Vec<(String, f64)>> {
        if !(0.0..=1.0).contains(&least) {
            return Err(PyValueError::new_err(format!("least must lie between 0 and 1, not {least}")));
        }
        let _work = Work::begin()?;
        let near = py.detach(|| locked(&self.0).like(answer, least));
        Ok(near.into_iter().map(|n| (n.id, n.shared)).collect())
    }

    fn __repr__(&self) -> String {
        format!("{:?}", locked(&self.0))
    }
}

fn read(report: &str) -> PyResult<inperson::Report> {
    let none = |e| PyValueError::new_err(format!("this is no report: {e}"));
    // another version may lack what this one requires
    let values: Value = serde_json::from_str(report).map_err(none)?;
    match values.get("schema_version").and_then(Value::as_u64) {
        Some(version) if version != u64::from(SCHEMA_VERSION) => Err(PyValueError::new_err(format!(
            "schema_version is {version}, and this version of inperson reads {SCHEMA_VERSION}"
        ))),
        _ => serde_json::from_value(values).map_err(none),
    }
}

/// Refuses JSON that is no report.
#[pyfunction]
fn check_report(report: &str) -> PyResult<()> {
    read(report).map(drop)
}

/// A report's page from its JSON.
#[pyfunction]
fn to_html(report: &str) -> PyResult<String> {
    read(report)?.to_html().map_err(raise)
}

/// JSON Schema of a report, as JSON.
#[pyfunction]
fn schema() -> PyResult<String> {
    written(serde_json::to_string(&inperson::Report::schema()))
}

/// Names of all checks.
#[pyfunction]
fn checks() -> Vec<&'static str> {
    inperson::detect::NAMES.to_vec()
}

/// `cpu`, `cuda` or `cuda:N` as a configuration has it, as JSON.
#[pyfunction]
fn device(text: &str) -> PyResult<String> {
    written(serde_json::to_string(&text.parse::<Device>().map_err(raise)?))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    // NumPy's interface is looked up at first use, and a Ctrl-C that waits would make that fail
    PyArray1::from_slice(py, &[0_u8]).readonly();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Analyzer>()?;
    module.add_class::<Session>()?;
    module.add_class::<Wording>()?;
    module.add_class::<NearIndex>()?;
    module.add_function(wrap_pyfunction!(process::end, module)?)?;
    module.add_function(wrap_pyfunction!(check_report, module)?)?;
    module.add_function(wrap_pyfunction!(to_html, module)?)?;
    module.add_function(wrap_pyfunction!(schema, module)?)?;
    module.add_function(wrap_pyfunction!(checks, module)?)?;
    module.add_function(wrap_pyfunction!(device, module)?)?;
    module.add("Error", py.get_type::<Error>())?;
    module.add("InputError", py.get_type::<InputError>())?;
    module.add("LimitError", py.get_type::<LimitError>())?;
    module.add("ModelError", py.get_type::<ModelError>())?;
    module.add("TranscriberError", py.get_type::<TranscriberError>())?;
    module.add("ConfigError", py.get_type::<ConfigError>())?;
    module.add("Cancelled", py.get_type::<Cancelled>())
}
