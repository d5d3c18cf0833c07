//! Small pictures from frames beside those that ffmpeg makes of the same file.

use crate::common::{Made, decode, ffmpeg};
use inperson::dsp::geometry::{Affine, Rect};
use inperson::dsp::image::{crop, luma_thumbnail, search_plane};
use inperson::media::{ColorMatrix, PixelLayout, Rotation};
use inperson::{Timestamp, VideoFrame};
use std::sync::Arc;

const PICTURE: [&str; 4] = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=0.2"];

/// The first frame through a filter chain of ffmpeg's, which turns it upright itself.
fn oracle(made: &Made, filters: &str, format: &str) -> Vec<u8> {
    let path = made.path.to_str().unwrap();
    // exact arithmetic: swscale's fast paths round by several steps
    let exact = format!("{filters}:flags=area+accurate_rnd+full_chroma_int+full_chroma_inp,format={format}");
    let chain = if filters.starts_with("scale") { exact } else { format!("{filters},format={format}") };
    ffmpeg(&["-v", "error", "-i", path, "-vf", &chain, "-frames:v", "1", "-f", "rawvideo", "-"])
}

/// Mean absolute difference.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&x, &y)| f64::from(x.abs_diff(y))).sum::<f64>() / a.len() as f64
}

fn first(made: &Made) -> VideoFrame {
    decode(made).unwrap().frames.remove(0)
}

/// The picture in a search plane, interleaved.
fn inner(frame: &VideoFrame, long: usize) -> Vec<u8> {
    let plane = search_plane(frame, long);
    let (w, h) = frame.upright_size();
    let side = |v: u32| (v as f32 * plane.scale).round() as usize;
    let at = |c: usize, x: usize, y: usize| plane.chw[(c * plane.height + y) * plane.width + x];
    assert!(plane.width.is_multiple_of(32) && plane.height.is_multiple_of(32));
    assert_eq!(plane.chw.len(), 3 * plane.width * plane.height);
    let (w, h) = (side(w), side(h));
    (0..h).flat_map(|y| (0..w).flat_map(move |x| (0..3).map(move |c| (at(c, x, y) + 0.5) as u8))).collect()
}

#[test]
fn planes_crops_and_thumbnails_match_ffmpeg() {
    for format in ["yuv420p", "yuv444p", "nv12", "yuvj422p", "rgb24", "gray"] {
        let coded = ["-pix_fmt", format, "-c:v", "rawvideo"];
        let made = Made::new("picture.nut", &[&PICTURE[..], &coded].concat());
        let frame = first(&made);
        let off = difference(&inner(&frame, 320), &oracle(&made, "scale=320:180", "rgb24"));
        assert!(off < 2.0, "{format}: the search plane is off by {off}");
        let (means, pixels) = luma_thumbnail(&frame, 64, 36);
        let off = difference(&means, &oracle(&made, "scale=64:36:in_range=auto:out_range=full", "gray"));
        assert!(off < 8.0, "{format}: the thumbnail is off by {off}");
        assert_eq!((means.len(), pixels.len()), (64 * 36, 64 * 36));
        let exact = crop(&frame, &Affine::onto(Rect::new(100.0, 60.0, 228.0, 188.0), 128.0, 128.0), (128, 128));
        let off = difference(&exact.rgb, &oracle(&made, "crop=128:128:100:60", "rgb24"));
        assert!(off < 4.0 && exact.outside == 0.0, "{format}: the crop is off by {off}");
        let half = crop(&frame, &Affine::onto(Rect::new(100.0, 60.0, 356.0, 316.0), 128.0, 128.0), (128, 128));
        let off = difference(&half.rgb, &oracle(&made, "crop=256:256:100:60,scale=128:128", "rgb24"));
        assert!(off < 4.0, "{format}: the reduced crop is off by {off}");
    }
}

#[test]
fn turned_frames_come_upright() {
    let plain = Made::new("upright.mp4", &[&PICTURE[..], &["-c:v", "libx264", "-qp", "4"]].concat());
    let input = plain.path.to_str().unwrap();
    for degrees in ["90", "180", "270"] {
        let tag = format!("rotate={degrees}");
        let made = Made::new("turned.mp4", &["-i", input, "-c", "copy", "-metadata:s:v", &tag]);
        let frame = first(&made);
        let (w, h) = frame.upright_size();
        let filters = format!("scale={}:{}", w / 2, h / 2);
        let off = difference(&inner(&frame, 320), &oracle(&made, &filters, "rgb24"));
        assert!(off < 2.0, "{degrees}: the search plane is off by {off}");
        let exact = crop(&frame, &Affine::onto(Rect::new(40.0, 60.0, 168.0, 188.0), 128.0, 128.0), (128, 128));
        let off = difference(&exact.rgb, &oracle(&made, "crop=128:128:40:60", "rgb24"));
        assert!(off < 4.0, "{degrees}: the crop is off by {off}");
        let (means, _) = luma_thumbnail(&frame, 64, 36);
        let off = difference(&means, &oracle(&made, "scale=64:36:out_range=full", "gray"));
        assert!(off < 8.0, "{degrees}: the thumbnail is off by {off}");
    }
}

#[test]
fn borders_repeat_and_tiny_frames_are_taken() {
    let frame = VideoFrame::from_rgb(Timestamp::ZERO, 2, 1, vec![10, 20, 30, 40, 50, 60]).unwrap();
    let cut = crop(&frame, &Affine::onto(Rect::new(-2.0, -1.0, 4.0, 2.0), 6.0, 3.0), (6, 3));
    assert_eq!(&cut.rgb[..3], [10, 20, 30]);
    assert_eq!(&cut.rgb[15..18], [40, 50, 60]);
    assert!((cut.outside - 16.0 / 18.0).abs() < 1e-6);
    assert_eq!(cut.chw()[..6], [10.0, 10.0, 10.0, 40.0, 40.0, 40.0]);
    let plane = search_plane(&frame, 320);
    assert_eq!((plane.width, plane.height, plane.scale), (32, 32, 1.0));
    assert_eq!((plane.chw[0], plane.chw[1], plane.chw[2]), (10.0, 40.0, 0.0));
    assert_eq!(luma_thumbnail(&frame, 64, 36).0.len(), 64 * 36);
    for map in [[f32::NAN; 6], [1e30; 6], [0.0; 6]] {
        assert_eq!(crop(&frame, &Affine(map), (4, 4)).rgb.len(), 48);
    }
    assert!(crop(&frame, &Affine([1.0; 6]), (0, 3)).rgb.is_empty());
}

#[test]
fn odd_frames_of_one_colour_stay_so() {
    let planar = |sub_x, sub_y| PixelLayout::Yuv { sub_x, sub_y, full_range: true };
    let layouts = [planar(1, 1), planar(1, 0), planar(0, 0), PixelLayout::Nv12 { full_range: true }];
    for (w, h) in [(1, 1), (5, 3), (641, 7), (640, 360)] {
        for layout in layouts {
            for rotation in [Rotation::None, Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters] {
                // room for the largest layout; 100, 90, 180 in BT.601 is 173, 76, 33
                let interleaved = matches!(layout, PixelLayout::Nv12 { .. });
                let chroma = if interleaved { [90, 180].repeat(w * h + 1) } else { vec![90; w * h] };
                let planes = vec![(vec![100; w * h], w), (chroma, 2 * w.div_ceil(2)), (vec![180; 2 * w * h], w)];
                let planes =
                    if interleaved { planes } else { planes.into_iter().map(|(bytes, _)| (bytes, w)).collect() };
                let mut frame =
                    VideoFrame::new(Timestamp::ZERO, (w as u32, h as u32), layout, Arc::new(planes)).unwrap();
                (frame.rotation, frame.matrix) = (rotation, ColorMatrix::Bt601);
                for size in [1.0, 4.0, 30.0] {
                    let cut = crop(&frame, &Affine::onto(Rect::new(-1.0, -1.0, 9.0 * size, 8.0), 9.0, 9.0), (9, 9));
                    let (pixels, _) = cut.rgb.as_chunks::<3>();
                    assert!(
                        pixels.iter().all(|p| *p == [173, 76, 33]),
                        "{w}x{h} {layout:?} {rotation:?}: {:?}",
                        pixels[0]
                    );
                }
                let plane = search_plane(&frame, 320);
                assert!((plane.chw[0] - 172.9).abs() < 0.1, "{w}x{h} {layout:?} {rotation:?}: {}", plane.chw[0]);
            }
        }
    }
}
