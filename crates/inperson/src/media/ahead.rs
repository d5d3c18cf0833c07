//! A source read ahead on a thread of its own, so that decoding and analysing overlap. Order and content stay the same.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::{MediaInfo, Sample, Source};
use crate::error::{Error, Result};

/// Most bytes of pictures that wait, two thirds of a second of 720p; most pictures, and most samples of any kind.
const BYTES: u64 = 24 << 20;
const PICTURES: u64 = 32;
const SAMPLES: usize = 128;

enum Message {
    Sample(Sample),
    /// How it ended, and what is known of the media by then.
    End(Result<()>, Box<MediaInfo>),
}

/// A [`Source`] that another one feeds from its own thread. Dropping it stops that thread.
pub struct Ahead {
    info: MediaInfo,
    receiver: Option<Receiver<Message>>,
    /// One for every picture that waits: sound is small, and counted together the share of pictures, and with it the memory,
    /// would hang on how the container interleaves them.
    pictures: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ahead({})", self.info.input)
    }
}

impl Ahead {
    /// Starts reading `source`.
    ///
    /// # Errors
    /// [`Error::Io`] when no thread can be started.
    pub fn new(source: impl Source + Send + 'static) -> Result<Self> {
        let info = source.info().clone();
        let picture = info.video.as_ref().map_or(1, |v| u64::from(v.width) * u64::from(v.height) * 3 / 2);
        let waiting = (BYTES / picture.max(1)).clamp(2, PICTURES);
        let (token, pictures) = sync_channel(usize::try_from(waiting).unwrap_or(2));
        let (sender, receiver) = sync_channel(SAMPLES);
        let started =
            std::thread::Builder::new().name("inperson-decode".to_owned()).spawn(move || read(source, &sender, &token));
        let thread = started.map_err(|e| Error::io(&info.input, e))?;
        Ok(Self { info, receiver: Some(receiver), pictures, thread: Some(thread) })
    }
}

fn read(mut source: impl Source, sender: &SyncSender<Message>, token: &SyncSender<()>) {
    loop {
        let (ended, message) = match source.next() {
            Ok(Some(sample)) => (false, Message::Sample(sample)),
            Ok(None) => (true, Message::End(Ok(()), Box::new(source.info().clone()))),
            Err(e) => (true, Message::End(Err(e), Box::new(source.info().clone()))),
        };
        // the other end is gone when the analysis was cancelled
        let gone = matches!(message, Message::Sample(Sample::Video(_))) && token.send(()).is_err();
        if gone || sender.send(message).is_err() || ended {
            return;
        }
    }
}

impl Source for Ahead {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Option<Sample>> {
        let Some(receiver) = &self.receiver else { return Ok(None) };
        match receiver.recv() {
            Ok(Message::Sample(sample)) => {
                if matches!(sample, Sample::Video(_)) {
                    // never waits: it was put there before the picture
                    let _ = self.pictures.recv();
                }
                Ok(Some(sample))
            }
            Ok(Message::End(result, info)) => {
                (self.info, self.receiver) = (*info, None);
                result.map(|()| None)
            }
            Err(_) => {
                self.receiver = None;
                Err(Error::media(&self.info.input, "decoding it failed, which is a defect"))
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.receiver = None;
        // the reading thread may wait for room in either
        self.pictures = sync_channel(0).1;
        if let Some(thread) = self.thread.take() {
            // a panic there was reported as an error already
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::media::{AudioChunk, MemorySource};
    use crate::time::Timestamp;

    struct Failing(u32);

    impl Source for Failing {
        fn info(&self) -> &MediaInfo {
            static INFO: std::sync::OnceLock<MediaInfo> = std::sync::OnceLock::new();
            INFO.get_or_init(MediaInfo::default)
        }

        fn next(&mut self) -> Result<Option<Sample>> {
            self.0 += 1;
            match self.0 {
                1 => Err(Error::media("x", "damaged")),
                _ => panic!("read on after an error"),
            }
        }
    }

    fn chunk(i: i64) -> Sample {
        Sample::Audio(AudioChunk { at: Timestamp(i), samples: Arc::from([0.0]) })
    }

    #[test]
    fn all_samples_come_in_order_then_the_end_for_good() {
        let mut source = MemorySource::new(MediaInfo::default());
        source.extend((0..200).map(chunk));
        let mut ahead = Ahead::new(source).unwrap();
        for i in 0..200 {
            let Some(Sample::Audio(c)) = ahead.next().unwrap() else { panic!("{i}") };
            assert_eq!(c.at, Timestamp(i));
        }
        assert!(ahead.next().unwrap().is_none() && ahead.next().unwrap().is_none());
    }

    fn picture(i: i64) -> Sample {
        Sample::Video(crate::media::VideoFrame::from_rgb(Timestamp(i), 2, 2, vec![0; 12]).unwrap())
    }

    #[test]
    fn pictures_beyond_what_may_wait_come_in_order_and_may_be_left() {
        let mut source = MemorySource::new(MediaInfo::default());
        source.extend((0..200).flat_map(|i| [picture(2 * i), chunk(2 * i + 1)]));
        let mut ahead = Ahead::new(source.clone()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
        for i in 0..400 {
            let at = match ahead.next().unwrap() {
                Some(Sample::Video(f)) => f.at,
                Some(Sample::Audio(c)) => c.at,
                other => panic!("{other:?}"),
            };
            assert_eq!(at, Timestamp(i));
        }
        assert!(ahead.next().unwrap().is_none());
        let ahead = Ahead::new(source).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
        drop(ahead);
    }

    #[test]
    fn errors_come_through_and_dropping_early_does_not_hang() {
        let mut ahead = Ahead::new(Failing(0)).unwrap();
        assert!(ahead.next().unwrap_err().to_string().contains("damaged"));
        let mut source = MemorySource::new(MediaInfo::default());
        source.extend((0..200).map(chunk));
        drop(Ahead::new(source).unwrap());
    }
}
