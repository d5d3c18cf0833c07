//! The Python package's native part: a thin skin over the library. Everything that takes time releases the GIL.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use inperson::detect::answers;
use inperson::model::{Registry, Runtime};
use inperson::track::{CONTEXT, CROP, MOUTH};
use inperson::{AudioChunk, Limits, MediaInfo, Sample, Span, Timestamp, Transcript, Utterance, VideoFrame, media};
use numpy::ndarray::{Array1, Array2, Array3, Array4, Axis};
use numpy::{IntoPyArray, PyReadonlyArray1, PyReadonlyArray3};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

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

/// What a command (a string) or a callable of the caller's makes of a WAV file.
fn recognised(
    transcriber: &Py<PyAny>,
    wav: &Path,
    limits: &Limits,
    raised: &mut Option<PyErr>,
) -> inperson::Result<String> {
    let said = Python::attach(|py| match transcriber.extract::<String>(py) {
        Ok(command) => Ok(Err(command)),
        Err(_) => transcriber.call1(py, (wav,))?.extract::<String>(py).map(Ok),
    });
    match said {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(command)) => media::run_transcriber(&command, wav, limits),
        Err(error) => {
            *raised = Some(error);
            Err(inperson::Error::Cancelled)
        }
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
        let config: inperson::Config = serde_json::from_str(config).map_err(|e| ConfigError::new_err(e.to_string()))?;
        py.detach(|| inperson::Analyzer::new(config)).map(Self).map_err(raise)
    }

    /// The report on a file as JSON. `progress` is called with seconds done and in all; returning False cancels.
    #[pyo3(signature = (path, progress=None, transcript=None, transcriber=None))]
    fn analyze(
        &self,
        py: Python<'_>,
        path: PathBuf,
        progress: Option<Py<PyAny>>,
        transcript: Option<PathBuf>,
        transcriber: Option<Py<PyAny>>,
    ) -> PyResult<String> {
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
                Python::attach(|py| {
                    // Ctrl-C is seen here, since no Python code runs in between
                    let asked = py.check_signals().and_then(|()| match &progress {
                        Some(call) => {
                            Ok(!call.call1(py, (p.done_s, p.total_s))?.is(pyo3::types::PyBool::new(py, false).as_any()))
                        }
                        None => Ok(true),
                    });
                    match asked {
                        Ok(true) => ControlFlow::Continue(()),
                        Ok(false) => ControlFlow::Break(()),
                        Err(e) => {
                            raised = Some(e);
                            ControlFlow::Break(())
                        }
                    }
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
        let seen = py.detach(|| self.0.observe(path)).map_err(raise)?;
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
        self.0.session(MediaInfo::live(name, video, audio)).map(|s| Session(Mutex::new(Some(s)))).map_err(raise)
    }
}

/// The mutable state of one interview.
#[pyclass(frozen, module = "inperson._native")]
struct Session(Mutex<Option<inperson::Session>>);

impl Session {
    /// Pictures and sound may come from threads of their own: each waits for its turn, without Python's lock.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        act: impl Send + FnOnce(&mut Option<inperson::Session>) -> Option<inperson::Result<T>>,
    ) -> PyResult<T> {
        let done = py.detach(|| act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)));
        done.ok_or_else(|| PyValueError::new_err("this session is finished"))?.map_err(raise)
    }

    fn push(&self, py: Python<'_>, sample: Sample) -> PyResult<String> {
        let events = self.with(py, |session| session.as_mut().map(|s| s.push(sample)))?;
        serde_json::to_string(&events).map_err(|e| Error::new_err(e.to_string()))
    }
}

#[pymethods]
impl Session {
    /// Height x width x 3 bytes, RGB, shown at `at` seconds; events as JSON.
    fn push_video(&self, py: Python<'_>, rgb: PyReadonlyArray3<'_, u8>, at: f64) -> PyResult<String> {
        let view = rgb.as_array();
        let &[height, width, 3] = view.shape() else {
            return Err(PyValueError::new_err("a picture must have the shape (height, width, 3)"));
        };
        let size = |n: usize| u32::try_from(n).map_err(|_| PyValueError::new_err("the picture is too large"));
        let bytes = view.iter().copied().collect();
        let frame =
            VideoFrame::from_rgb(Timestamp::from_seconds(at), size(width)?, size(height)?, bytes).map_err(raise)?;
        self.push(py, Sample::Video(frame))
    }

    /// Mono sound at 16 kHz in -1..1, first heard at `at` seconds; events as JSON.
    fn push_audio(&self, py: Python<'_>, samples: PyReadonlyArray1<'_, f32>, at: f64) -> PyResult<String> {
        let samples = samples.as_array().iter().copied().collect();
        self.push(py, Sample::Audio(AudioChunk { at: Timestamp::from_seconds(at), samples }))
    }

    /// Words said from `start` to `end` seconds, and by whom; events as JSON.
    #[pyo3(signature = (text, start, end, speaker=None))]
    fn push_text(
        &self,
        py: Python<'_>,
        text: String,
        start: f64,
        end: f64,
        speaker: Option<String>,
    ) -> PyResult<String> {
        let span = Span::new(Timestamp::from_seconds(start), Timestamp::from_seconds(end));
        self.push(py, Sample::Text(Utterance { span, speaker, text }))
    }

    /// The assessment so far as JSON.
    fn assess(&self, py: Python<'_>) -> PyResult<String> {
        let assessment = self.with(py, |session| session.as_ref().map(|s| Ok(s.assess())))?;
        serde_json::to_string(&assessment).map_err(|e| Error::new_err(e.to_string()))
    }

    /// Ends the interview; the report as JSON.
    fn finish(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |session| session.take().map(|s| s.finish().and_then(|r| r.to_json())))
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
        let config: inperson::Config = serde_json::from_str(config).map_err(|e| ConfigError::new_err(e.to_string()))?;
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
        let judged = py.detach(|| self.0.judge(question, answer)).map_err(raise)?;
        serde_json::to_string(&judged).map_err(|e| Error::new_err(e.to_string()))
    }
}

/// A report's page from its JSON.
#[pyfunction]
fn to_html(report: &str) -> PyResult<String> {
    let report: inperson::Report = serde_json::from_str(report).map_err(|e| PyValueError::new_err(e.to_string()))?;
    report.to_html().map_err(raise)
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Analyzer>()?;
    module.add_class::<Session>()?;
    module.add_class::<Wording>()?;
    module.add_function(wrap_pyfunction!(to_html, module)?)?;
    module.add("Error", py.get_type::<Error>())?;
    module.add("InputError", py.get_type::<InputError>())?;
    module.add("LimitError", py.get_type::<LimitError>())?;
    module.add("ModelError", py.get_type::<ModelError>())?;
    module.add("TranscriberError", py.get_type::<TranscriberError>())?;
    module.add("ConfigError", py.get_type::<ConfigError>())?;
    module.add("Cancelled", py.get_type::<Cancelled>())
}
