//! What a process may do: no work in a fork of it, none once its interpreter ends.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::Error;

/// Whoever used this first; threads of pools do not survive a fork, and waiting for them never ends.
static FIRST: AtomicU32 = AtomicU32::new(0);
/// Calls that are at work, in all threads.
static AT_WORK: AtomicU32 = AtomicU32::new(0);
/// Whether the interpreter ends.
static ENDING: AtomicBool = AtomicBool::new(false);

/// How long the end of the interpreter waits for calls in other threads; they look about once a second of media.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(5);

/// Refuses to work in a fork of the process that used this first.
pub(crate) fn same_process() -> PyResult<()> {
    let own = std::process::id();
    match FIRST.compare_exchange(0, own, SeqCst, SeqCst) {
        Err(first) if first != own => Err(Error::new_err(
            "this process was forked after inperson was used: start workers with multiprocessing.get_context('spawn')",
        )),
        _ => Ok(()),
    }
}

/// A call that does without Python's lock. Whatever takes it again when the interpreter is gone crashes, so that the end waits for it.
pub(crate) struct Work;

impl Work {
    /// # Errors
    /// In a fork, and when the interpreter ends.
    pub(crate) fn begin() -> PyResult<Self> {
        same_process()?;
        AT_WORK.fetch_add(1, SeqCst);
        let work = Self;
        if ENDING.load(SeqCst) { Err(Error::new_err("the interpreter is ending")) } else { Ok(work) }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        AT_WORK.fetch_sub(1, SeqCst);
    }
}

/// Whether a call may go on: Ctrl-C is seen here, since no Python code runs in between, and so is what `asked` says. What was raised is
/// left in `raised`.
pub(crate) fn goes_on(raised: &mut Option<PyErr>, asked: impl FnOnce(Python<'_>) -> PyResult<bool>) -> ControlFlow<()> {
    if ENDING.load(SeqCst) {
        return ControlFlow::Break(());
    }
    match Python::try_attach(|py| py.check_signals().and_then(|()| asked(py))) {
        Some(Ok(true)) => ControlFlow::Continue(()),
        Some(Err(e)) => {
            *raised = Some(e);
            ControlFlow::Break(())
        }
        Some(Ok(false)) | None => ControlFlow::Break(()),
    }
}

/// At the end of the interpreter: asks calls in other threads to stop, and waits for them.
#[pyfunction]
pub(crate) fn end(py: Python<'_>) {
    ENDING.store(true, SeqCst);
    // threads of a parent are not here
    if same_process().is_ok() {
        py.detach(|| {
            let since = Instant::now();
            while AT_WORK.load(SeqCst) > 0 && since.elapsed() < PATIENCE {
                std::thread::sleep(LOOK);
            }
        });
    }
}
