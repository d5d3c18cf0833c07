//! Samples that are already in memory, handed out like those of a file: for tests and for bridges.

use std::collections::VecDeque;

use super::{MediaInfo, Sample, Source};
use crate::Result;

/// A [`Source`] over samples that the caller made, given out in the order in which they were pushed.
#[derive(Debug, Clone, Default)]
pub struct MemorySource {
    info: MediaInfo,
    samples: VecDeque<Sample>,
}

impl MemorySource {
    /// A source without samples; `info` says what is known of the media.
    #[must_use]
    pub fn new(info: MediaInfo) -> Self {
        Self { info, samples: VecDeque::new() }
    }

    /// Adds a sample behind those already there.
    pub fn push(&mut self, sample: Sample) {
        self.samples.push_back(sample);
    }
}

impl Extend<Sample> for MemorySource {
    fn extend<I: IntoIterator<Item = Sample>>(&mut self, samples: I) {
        self.samples.extend(samples);
    }
}

impl Source for MemorySource {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Option<Sample>> {
        Ok(self.samples.pop_front())
    }
}
