//! Pictures in their planes, mono sound, and words.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::time::{Span, Timestamp};

/// How the planes of a frame hold its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PixelLayout {
    /// Planar Y, U, V with chroma halved `log2` times across and down; 8 bits, video or full range.
    Yuv {
        /// log2 of the horizontal chroma subsampling, 0 to 2.
        sub_x: u8,
        /// log2 of the vertical chroma subsampling, 0 to 2.
        sub_y: u8,
        /// Whether luma spans 0-255 instead of 16-235.
        full_range: bool,
    },
    /// Y plane, then interleaved U and V, halved both ways; 8 bits.
    Nv12 {
        /// Whether luma spans 0-255 instead of 16-235.
        full_range: bool,
    },
    /// One luma plane; 8 bits.
    Grey {
        /// Whether luma spans 0-255 instead of 16-235.
        full_range: bool,
    },
    /// Interleaved R, G, B; 8 bits.
    Rgb,
}

/// Matrix that took R, G, B to Y, U, V.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ColorMatrix {
    /// ITU-R BT.601; what FFmpeg takes when nothing is declared.
    #[default]
    Bt601,
    /// ITU-R BT.709.
    Bt709,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
}

/// Clockwise turn that makes a stored picture upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// Upright as stored.
    #[default]
    None,
    /// A quarter clockwise.
    Quarter,
    /// Half a turn.
    Half,
    /// Three quarters clockwise.
    ThreeQuarters,
}

impl Rotation {
    /// This turn and then another.
    #[must_use]
    pub const fn then(self, other: Self) -> Self {
        match (self as u8 + other as u8) % 4 {
            0 => Self::None,
            1 => Self::Quarter,
            2 => Self::Half,
            _ => Self::ThreeQuarters,
        }
    }
}

/// One plane: rows of `width` bytes, `stride` bytes apart.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    /// The bytes; at least `stride * (height - 1) + width` of them.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Bytes in a row that belong to the picture.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl<'a> Plane<'a> {
    /// Row `y`, or the last one beyond the end; empty for an empty plane.
    #[must_use]
    pub fn row(&self, y: usize) -> &'a [u8] {
        let start = y.min(self.height.saturating_sub(1)) * self.stride;
        self.data.get(start..start + self.width).unwrap_or(&[])
    }
}

/// Storage of a frame's planes: the decoder's own buffers, or bytes of the caller's.
pub trait PlaneData: Send + Sync {
    /// Bytes and stride of plane `index`.
    fn plane(&self, index: usize) -> (&[u8], usize);
}

impl PlaneData for Vec<(Vec<u8>, usize)> {
    fn plane(&self, index: usize) -> (&[u8], usize) {
        self.get(index).map_or((&[], 0), |(bytes, stride)| (bytes.as_slice(), *stride))
    }
}

/// One picture, in the planes that the decoder wrote. Cheap to clone.
#[derive(Clone)]
pub struct VideoFrame {
    /// When it is shown.
    pub at: Timestamp,
    /// Stored width in pixels, before rotation.
    pub width: u32,
    /// Stored height in pixels, before rotation.
    pub height: u32,
    /// How the planes hold the picture.
    pub layout: PixelLayout,
    /// Matrix of the colour planes; without meaning for grey and RGB.
    pub matrix: ColorMatrix,
    /// The turn that makes it upright.
    pub rotation: Rotation,
    /// Bytes of its packet; 0 where unknown.
    pub packet_bytes: u32,
    /// Whether the encoder marked it as a key frame.
    pub key: bool,
    /// Whether it was decoded with errors, or may show those of a frame before it: no face is looked for in it.
    pub damaged: bool,
    planes: Arc<dyn PlaneData>,
}

impl fmt::Debug for VideoFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VideoFrame({} {}x{} {:?})", self.at, self.width, self.height, self.layout)
    }
}

impl VideoFrame {
    /// A frame over planes that somebody holds.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when a plane is smaller than the layout and size need.
    pub fn new(
        at: Timestamp,
        (width, height): (u32, u32),
        layout: PixelLayout,
        planes: Arc<dyn PlaneData>,
    ) -> Result<Self> {
        let frame = Self {
            at,
            width,
            height,
            layout,
            matrix: ColorMatrix::default(),
            rotation: Rotation::None,
            packet_bytes: 0,
            key: false,
            damaged: false,
            planes,
        };
        frame.check()?;
        Ok(frame)
    }

    /// Whether its planes hold what its size and layout say.
    ///
    /// # Errors
    /// As [`VideoFrame::new`].
    pub(crate) fn check(&self) -> Result<()> {
        let (width, height) = (self.width, self.height);
        if width == 0 || height == 0 {
            return Err(Error::Unsupported(format!("a frame of {width}x{height} pixels has no picture")));
        }
        if let PixelLayout::Yuv { sub_x, sub_y, .. } = self.layout
            && sub_x.max(sub_y) > 2
        {
            return Err(Error::Unsupported(format!(
                "colour planes cannot be {sub_x} and {sub_y} times halved: 0 to 2"
            )));
        }
        for index in 0..self.plane_count() {
            let plane = self.plane(index);
            let need = plane.stride.saturating_mul(plane.height - 1).saturating_add(plane.width);
            if plane.stride < plane.width || plane.data.len() < need {
                return Err(Error::Unsupported(format!(
                    "plane {index} of a {width}x{height} frame has {} bytes at stride {}, needs {need}",
                    plane.data.len(),
                    plane.stride
                )));
            }
        }
        Ok(())
    }

    /// A frame from interleaved 8-bit RGB rows without padding: `width * height * 3` bytes.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when there are too few bytes.
    pub fn from_rgb(at: Timestamp, width: u32, height: u32, rgb: Vec<u8>) -> Result<Self> {
        Self::new(at, (width, height), PixelLayout::Rgb, Arc::new(vec![(rgb, width as usize * 3)]))
    }

    /// Number of planes of the layout.
    #[must_use]
    pub const fn plane_count(&self) -> usize {
        match self.layout {
            PixelLayout::Yuv { .. } => 3,
            PixelLayout::Nv12 { .. } => 2,
            PixelLayout::Grey { .. } | PixelLayout::Rgb => 1,
        }
    }

    /// Plane `index`; its width is in bytes.
    #[must_use]
    pub fn plane(&self, index: usize) -> Plane<'_> {
        let (data, stride) = self.planes.plane(index);
        let (w, h) = (self.width as usize, self.height as usize);
        let (width, height) = match (self.layout, index) {
            (PixelLayout::Rgb, _) => (w * 3, h),
            (PixelLayout::Yuv { sub_x, sub_y, .. }, 1 | 2) => {
                ((w + (1 << sub_x) - 1) >> sub_x, (h + (1 << sub_y) - 1) >> sub_y)
            }
            (PixelLayout::Nv12 { .. }, 1) => (w.div_ceil(2) * 2, h.div_ceil(2)),
            _ => (w, h),
        };
        Plane { data, stride, width, height }
    }

    /// Width and height as shown, after rotation.
    #[must_use]
    pub const fn upright_size(&self) -> (u32, u32) {
        match self.rotation {
            Rotation::None | Rotation::Half => (self.width, self.height),
            Rotation::Quarter | Rotation::ThreeQuarters => (self.height, self.width),
        }
    }
}

/// A stretch of mono sound at [`AUDIO_RATE`](super::AUDIO_RATE), samples in -1..1.
#[derive(Debug, Clone)]
pub struct AudioChunk {
    /// When its first sample is heard.
    pub at: Timestamp,
    /// The samples.
    pub samples: Arc<[f32]>,
}

/// Words that somebody said, with their time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Utterance {
    /// When they were said.
    pub span: Span,
    /// Who said them, as the transcript names them.
    pub speaker: Option<String>,
    /// The words.
    pub text: String,
}
