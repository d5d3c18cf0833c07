//! Pictures that stand: what is sent while a call freezes, or in place of a camera.

use crate::media::VideoFrame;
use crate::time::Timestamp;

/// Change of a tile's mean luma, against the first frame that stands, that an encoder makes of a picture that does not change.
const SAME: u8 = 2;
/// Time for which a picture has stood from which movement in it says nothing of those who are seen, microseconds.
pub(super) const STOOD: i64 = 300_000;

/// The first frame of what may be a standing picture.
#[derive(Debug, Default)]
pub(super) struct Still {
    first: Option<(Timestamp, (u32, u32), Vec<u8>)>,
}

impl Still {
    /// For how long the picture has not changed, microseconds; `luma` is its thumbnail.
    pub(super) fn stood(&mut self, frame: &VideoFrame, luma: &[u8]) -> i64 {
        let size = (frame.width, frame.height);
        match &self.first {
            Some((since, of, first)) if *of == size && first.iter().zip(luma).all(|(a, b)| a.abs_diff(*b) <= SAME) => {
                frame.at.since(*since)
            }
            _ => {
                self.first = Some((frame.at, size, luma.to_vec()));
                0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_stands_until_it_moves_or_changes_its_size() {
        let mut still = Still::default();
        let mut stood = |at: i64, size: u32, light: u8| {
            let frame = VideoFrame::from_rgb(Timestamp(at), size, 2, vec![0; 3 * 2 * size as usize]).unwrap();
            still.stood(&frame, &[50, light])
        };
        let times = [(0, 2, 90), (40, 2, 91), (80, 2, 88), (120, 2, 93), (160, 2, 93), (200, 4, 93), (240, 4, 93)];
        assert_eq!(times.map(|(at, size, light)| stood(at, size, light)), [0, 40, 80, 0, 40, 0, 40]);
    }
}
