//! The first half of a session: samples in, hops with everything seen and heard in them out.

use crate::detect::Window;
use crate::error::{Error, Result};
use crate::media::{MediaInfo, Sample};
use crate::timeline::{Hop, Timeline};
use crate::track::{Heard, Tracker, Tracks};

/// A hop with what checks are given of it. It borrows nothing, so that checks can run while the next one is watched.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) hop: Hop,
    heard: Heard,
    tracks: Tracks,
}

impl Moment {
    pub(super) fn window<'a>(&'a self, media: &'a MediaInfo) -> Window<'a> {
        let Self { hop, heard, tracks } = self;
        Window {
            span: hop.span,
            frames: &hop.frames,
            faces: &hop.faces,
            burst: &hop.burst,
            audio: &hop.audio,
            heard: &hop.heard,
            speech: &heard.speech,
            sound: &heard.sound,
            music: heard.music,
            words: &hop.words,
            tracks,
            media,
        }
    }
}

/// Follows faces and voices, and cuts time into hops.
pub(super) struct Watch {
    pub(super) timeline: Timeline,
    pub(super) tracker: Tracker,
    /// Bytes of words taken in, and how many may be.
    text: [usize; 2],
    input: String,
}

impl Watch {
    pub(super) fn new(tracker: Tracker, media: &MediaInfo, text_bytes: usize) -> Self {
        Self { timeline: Timeline::new(media), tracker, text: [0, text_bytes], input: media.input.clone() }
    }

    /// Takes a sample in.
    ///
    /// # Errors
    /// When a model fails; [`Error::Limit`] when there are too many words.
    pub(super) fn take(&mut self, sample: Sample) -> Result<()> {
        match sample {
            Sample::Video(frame) => self.timeline.push_frame(self.tracker.look(&frame)?),
            Sample::Audio(chunk) => self.timeline.push_audio(&chunk),
            Sample::Text(words) => {
                let [taken, most] = &mut self.text;
                *taken += words.text.len();
                if taken > most {
                    return Err(Error::Limit {
                        input: self.input.clone(),
                        what: "text",
                        value: format!("{taken} bytes"),
                        limit: format!("{most} bytes"),
                    });
                }
                self.timeline.push_words(words);
            }
        }
        Ok(())
    }

    /// The next hop that is complete.
    pub(super) fn next(&mut self) -> Option<Moment> {
        let hop = self.timeline.next_hop()?;
        Some(self.moment(hop))
    }

    /// At the end of the media: the next hop with whatever is left.
    pub(super) fn last(&mut self) -> Option<Moment> {
        let hop = self.timeline.last_hop()?;
        Some(self.moment(hop))
    }

    fn moment(&mut self, hop: Hop) -> Moment {
        let heard = self.tracker.listen(&hop);
        Moment { hop, heard, tracks: self.tracker.tracks().clone() }
    }
}
