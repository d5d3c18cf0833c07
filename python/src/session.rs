//! One live interview: pictures, sound and words that the caller pushes.

use std::sync::{Mutex, TryLockError};

use inperson::media::{AUDIO_RATE, Resampler};
use inperson::{AudioChunk, Event, Sample, Span, Timestamp, Utterance, VideoFrame};
use numpy::{PyReadonlyArray1, PyReadonlyArray3};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::process::{Work, same_process};
use crate::{locked, raise, written};

/// The mutable state of one interview.
#[pyclass(frozen, module = "inperson._native")]
pub(crate) struct Session {
    name: String,
    live: Mutex<Live>,
}

/// The session until it ends, and what brings sound of another rate to the library's.
struct Live {
    session: Option<inperson::Session>,
    resampler: Option<Resampler>,
}

impl Live {
    /// `None` when the session has ended. What is refused has not moved the resampler's times: it begins anew.
    fn push_resampled(&mut self, samples: &[f32], at: Timestamp, rate: u32) -> Option<inperson::Result<Vec<Event>>> {
        let session = self.session.as_mut()?;
        let known = self.resampler.take().filter(|r| r.rate() == rate).map_or_else(|| Resampler::new(rate), Ok);
        Some(known.and_then(|mut resampler| {
            let events = session.push(Sample::Audio(resampler.push(samples, at)))?;
            self.resampler = Some(resampler);
            Ok(events)
        }))
    }
}

impl Session {
    pub(crate) fn new(name: String, session: inperson::Session) -> Self {
        Self { name, live: Mutex::new(Live { session: Some(session), resampler: None }) }
    }

    /// Each thread waits for its turn, without Python's lock.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        act: impl Send + FnOnce(&mut Live) -> Option<inperson::Result<T>>,
    ) -> PyResult<T> {
        let _work = Work::begin()?;
        let done = py.detach(|| act(&mut locked(&self.live)));
        done.ok_or_else(|| PyValueError::new_err("this session is finished"))?.map_err(raise)
    }

    fn push(&self, py: Python<'_>, sample: Sample) -> PyResult<String> {
        let events = self.with(py, |live| Some(live.session.as_mut()?.push(sample)))?;
        written(serde_json::to_string(&events))
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
        let bytes = view.as_slice().map_or_else(|| view.iter().copied().collect(), <[u8]>::to_vec);
        let frame =
            VideoFrame::from_rgb(Timestamp::from_seconds(at), size(width)?, size(height)?, bytes).map_err(raise)?;
        self.push(py, Sample::Video(frame))
    }

    /// Mono sound in -1..1 at `rate` hertz, first heard at `at` seconds; events as JSON.
    #[pyo3(signature = (samples, at, rate=AUDIO_RATE))]
    fn push_audio(&self, py: Python<'_>, samples: PyReadonlyArray1<'_, f32>, at: f64, rate: u32) -> PyResult<String> {
        let (samples, at): (Vec<f32>, _) = (samples.as_array().iter().copied().collect(), Timestamp::from_seconds(at));
        if rate == AUDIO_RATE {
            return self.push(py, Sample::Audio(AudioChunk { at, samples: samples.into() }));
        }
        let events = self.with(py, |live| live.push_resampled(&samples, at, rate))?;
        written(serde_json::to_string(&events))
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
        let assessment = self.with(py, |live| live.session.as_ref().map(|s| Ok(s.assess())))?;
        written(serde_json::to_string(&assessment))
    }

    /// Ends the interview; the report as JSON. Where nothing came it goes on.
    fn finish(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |live| {
            if live.session.as_ref().is_some_and(inperson::Session::is_empty) {
                return Some(Err(inperson::Error::media(&self.name, "no picture and no sound came")));
            }
            live.session.take().map(|s| s.finish().and_then(|r| r.to_json()))
        })
    }

    /// Ends the interview without a report; one that is finished stays so.
    fn close(&self, py: Python<'_>) {
        // in a fork the lock may be held by a thread that is not there
        if same_process().is_ok() {
            drop(py.detach(|| locked(&self.live).session.take()));
        }
    }

    fn __repr__(&self) -> String {
        // another thread may be pushing: nobody waits for a repr
        let live = match self.live.try_lock() {
            Ok(live) => live,
            Err(TryLockError::Poisoned(live)) => live.into_inner(),
            Err(TryLockError::WouldBlock) => return format!("Session({}, busy)", self.name),
        };
        live.session.as_ref().map_or_else(|| format!("Session({}, finished)", self.name), |s| format!("{s:?}"))
    }
}
