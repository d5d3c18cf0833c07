//! Media made with the ffmpeg program, and ffprobe as oracle.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use inperson::Result;
use inperson::media::{AudioChunk, FileSource, Limits, MediaInfo, MediaOptions, Sample, Source, VideoFrame};

/// A file in a folder that goes when the last handle on it goes.
pub(crate) struct Made {
    pub(crate) path: PathBuf,
    folder: Arc<tempfile::TempDir>,
}

impl Made {
    /// Runs ffmpeg with these arguments and the name as output.
    pub(crate) fn new(name: &str, arguments: &[&str]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let path = folder.path().join(name);
        ffmpeg(&[&["-v", "error", "-y"], arguments, &[path.to_str().unwrap()]].concat());
        Self { path, folder }
    }

    /// A file of these bytes beside this one.
    pub(crate) fn with(&self, name: &str, bytes: &[u8]) -> Self {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self { path, folder: Arc::clone(&self.folder) }
    }

    /// A folder in place of this file.
    pub(crate) fn folder(self) -> Self {
        std::fs::create_dir(&self.path).unwrap();
        self
    }

    /// A name beside this file at which there is nothing.
    pub(crate) fn missing(&self, name: &str) -> Self {
        Self { path: self.folder.path().join(name), folder: Arc::clone(&self.folder) }
    }

    /// An AVI whose headers say that frames have no size.
    pub(crate) fn sized_zero(name: &str) -> Self {
        let raw =
            ["-f", "lavfi", "-i", "color=size=64x48:rate=5:duration=1", "-c:v", "rawvideo", "-pix_fmt", "yuv420p"];
        let avi = Self::new(name, &raw);
        let mut bytes = std::fs::read(&avi.path).unwrap();
        let at = bytes.windows(4).position(|w| w == b"strf").unwrap() + 12;
        bytes[at..at + 8].fill(0);
        avi.with(name, &bytes)
    }

    /// The sound as ffmpeg itself makes it: mono, 16 kHz.
    pub(crate) fn sound(&self) -> Vec<f32> {
        let path = self.path.to_str().unwrap();
        let raw = ffmpeg(&["-v", "error", "-i", path, "-vn", "-ac", "1", "-ar", "16000", "-f", "f32le", "-"]);
        raw.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    }
}

/// Runs ffmpeg and gives its standard output.
pub(crate) fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    run("ffmpeg", arguments)
}

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let made = Command::new(program).stdin(Stdio::null()).args(arguments).output();
    let made = made.unwrap_or_else(|e| panic!("{program} cannot be run ({e}); `make test` installs it"));
    assert!(made.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&made.stderr));
    made.stdout
}

/// Times of all frames in seconds since the start of the media.
pub(crate) fn ffprobe_times(made: &Made) -> Vec<f64> {
    let path = made.path.to_str().unwrap();
    let ask = |what: &str| {
        let listed =
            run("ffprobe", &["-v", "error", "-select_streams", "v", "-show_entries", what, "-of", "csv=p=0", path]);
        let numbers = |line: &str| line.split(',').find_map(|n| n.trim().parse::<f64>().ok());
        String::from_utf8(listed).unwrap().lines().filter_map(numbers).collect::<Vec<_>>()
    };
    let start = ask("format=start_time").first().copied().unwrap_or(0.0);
    ask("frame=best_effort_timestamp_time").iter().map(|t| t - start).collect()
}

/// Everything that a source gave.
pub(crate) struct Decoded {
    pub(crate) frames: Vec<VideoFrame>,
    pub(crate) chunks: Vec<AudioChunk>,
    pub(crate) info: MediaInfo,
    /// Whether samples came in order of time.
    pub(crate) ordered: bool,
}

impl Decoded {
    pub(crate) fn sound(&self) -> Vec<f32> {
        self.chunks.iter().flat_map(|c| c.samples.iter().copied()).collect()
    }

    pub(crate) fn has_note(&self, code: &str) -> bool {
        self.info.notes.iter().any(|n| n.code == code)
    }
}

pub(crate) fn decode(made: &Made) -> Result<Decoded> {
    drain(FileSource::open(&made.path, &Limits::default(), &MediaOptions::default())?)
}

pub(crate) fn drain(mut source: FileSource) -> Result<Decoded> {
    let (mut frames, mut chunks, mut last, mut ordered) = (Vec::new(), Vec::new(), None, true);
    while let Some(sample) = source.next()? {
        let at = match sample {
            Sample::Video(frame) => {
                frames.push(frame.clone());
                frame.at
            }
            Sample::Audio(chunk) => {
                chunks.push(chunk.clone());
                chunk.at
            }
            Sample::Text(_) => panic!("a file gave words"),
        };
        ordered &= last.is_none_or(|l| at >= l);
        last = Some(at);
    }
    Ok(Decoded { frames, chunks, info: source.info().clone(), ordered })
}

/// The shift in samples, up to 40 each way, at which two sounds agree best, and their correlation there.
pub(crate) fn align(a: &[f32], b: &[f32]) -> (i64, f64) {
    let correlation = |shift: i64| {
        let (a, b) = if shift >= 0 { (&a[shift as usize..], b) } else { (a, &b[(-shift) as usize..]) };
        let sums = a.iter().zip(b).fold([0.0_f64; 3], |s, (&x, &y)| {
            let (x, y) = (f64::from(x), f64::from(y));
            [s[0] + x * y, s[1] + x * x, s[2] + y * y]
        });
        sums[0] / (sums[1] * sums[2]).sqrt()
    };
    (-40..=40).map(|s| (s, correlation(s))).max_by(|x, y| x.1.total_cmp(&y.1)).unwrap()
}
