//! The picture stream: packets in, frames in their planes out.

use std::collections::VecDeque;
use std::sync::Arc;

use ff::format::Pixel;
use ff::software::scaling;
use ffmpeg_next as ff;

use super::{Packets, micros, probe};
use crate::error::{Error, Result};
use crate::media::{
    ColorMatrix, Limits, MediaInfo, MediaNote, PixelLayout, PlaneData, Rotation, VideoFrame, VideoStreamInfo,
};
use crate::time::{Span, Timestamp};

/// Step between frames where nothing is declared, microseconds.
const DEFAULT_STEP: i64 = 40_000;
/// Step put between two frames whose times do not ascend, microseconds.
const LEAST_STEP: i64 = 1_000;
/// Changes of size that are noted one by one.
const MOST_NOTES: usize = 50;
/// Packets whose sizes are remembered until their frame comes out.
const REMEMBERED: usize = 256;

pub(super) struct VideoTrack {
    pub(super) packets: Packets,
    pub(super) start: Option<i64>,
    /// Usual step between frames, microseconds.
    pub(super) step: i64,
    /// Interlaced frames met.
    pub(super) interlaced: u64,
    decoder: ff::decoder::Video,
    rotation: Rotation,
    name: String,
    most_pixels: u64,
    sizes: VecDeque<(i64, u32)>,
    last: Option<Timestamp>,
    size: Option<(u32, u32)>,
    frames: u64,
    repaired: u64,
    damaged: (u64, Option<Timestamp>),
    /// Whether a frame was damaged and no key frame came since.
    broken: bool,
    notes: Vec<MediaNote>,
}

impl VideoTrack {
    /// Opens the best picture stream that is not a cover picture, and describes it.
    pub(super) fn open(
        input: &ff::format::context::Input,
        name: &str,
        limits: &Limits,
        threads: usize,
        info: &mut MediaInfo,
    ) -> Result<Option<Self>> {
        let moving = |s: &ff::Stream<'_>| !s.disposition().contains(ff::format::stream::Disposition::ATTACHED_PIC);
        let best = input.streams().best(ff::media::Type::Video).filter(moving);
        let any = || input.streams().find(|s| s.parameters().medium() == ff::media::Type::Video && moving(s));
        let Some(stream) = best.or_else(any) else { return Ok(None) };
        let failed = |reason: String| Error::media(name, format!("its picture stream cannot be decoded: {reason}"));
        let parameters = stream.parameters();
        let id = parameters.id();
        let codec = ff::decoder::find(id).ok_or_else(|| failed(format!("no decoder for {}", id.name())))?;
        let mut context = ff::codec::Context::from_parameters(parameters).map_err(|e| failed(e.to_string()))?.decoder();
        context.set_packet_time_base(stream.time_base());
        let (threads, pixels) = (threads.to_string(), limits.pixels.min(i32::MAX as u64).to_string());
        let threads = if threads == "0" { "auto" } else { &threads };
        let options = [("threads", threads), ("thread_type", "frame+slice"), ("max_pixels", &pixels)];
        // a stream that begins in the middle declares no size; each frame is checked anyway
        if let size @ (1.., 1..) = declared_size(&stream) {
            check_size(name, size, limits.pixels)?;
        }
        let opened = context.open_as_with(codec, options.into_iter().collect());
        let decoder = opened.and_then(ff::decoder::Opened::video).map_err(|e| failed(e.to_string().to_lowercase()))?;
        let (rotation, rounded) = probe::rotation(&stream);
        let mut notes = Vec::new();
        if rounded {
            notes.push(MediaNote::new("rotation_rounded", None, "the rotation tag is not a quarter turn; rounded"));
        }
        let pictures =
            input.streams().filter(|s| s.parameters().medium() == ff::media::Type::Video && moving(s)).count();
        if pictures > 1 {
            let message =
                format!("there are {pictures} picture streams; the one at index {} is looked at", stream.index());
            info.notes.push(MediaNote::new("other_pictures", None, message));
        }
        let described = describe(&stream, &decoder, rotation);
        let rate = if described.frame_rate > 0.0 { described.frame_rate } else { described.base_rate };
        info.video = Some(described);
        Ok(Some(Self {
            packets: Packets::new(&stream),
            start: probe::start(&stream),
            step: if rate > 0.0 { (1e6 / rate) as i64 } else { DEFAULT_STEP },
            interlaced: 0,
            decoder,
            rotation,
            name: name.to_owned(),
            most_pixels: limits.pixels,
            sizes: VecDeque::new(),
            last: None,
            size: None,
            frames: 0,
            repaired: 0,
            damaged: (0, None),
            broken: false,
            notes,
        }))
    }

    /// The next frame, or `None` when packets are needed or the stream has ended.
    pub(super) fn next(&mut self, input_ended: bool, zero: i64) -> Result<Option<VideoFrame>> {
        loop {
            let mut picture = ff::frame::Video::empty();
            let sent = |packet: &ff::Packet| remember(&mut self.sizes, packet);
            if !self.packets.decode(&mut self.decoder, &mut picture, input_ended, sent) {
                return Ok(None);
            }
            if let Some(frame) = self.frame(picture, zero)? {
                return Ok(Some(frame));
            }
        }
    }

    fn frame(&mut self, picture: ff::frame::Video, zero: i64) -> Result<Option<VideoFrame>> {
        let size = (picture.width(), picture.height());
        check_size(&self.name, size, self.most_pixels)?;
        let at = self.time(&picture, zero);
        if let Some(before) = self.size.filter(|&s| s != size && self.notes.len() < MOST_NOTES) {
            let message = format!("the picture changes from {}x{} to {}x{}", before.0, before.1, size.0, size.1);
            self.notes.push(MediaNote::new("size_changed", Some(Span::new(at, at)), message));
        }
        self.size = Some(size);
        let errors = picture.is_corrupt() || picture.has_decode_errors();
        if errors {
            self.damaged = (self.damaged.0 + 1, self.damaged.1.or(Some(at)));
        }
        self.broken = errors || self.broken && !picture.is_key();
        let time = picture.pts().unwrap_or_else(|| picture.packet().dts);
        let packet_bytes = self.sizes.iter().find(|(t, _)| *t == time).map(|(_, bytes)| *bytes);
        let key = picture.is_key();
        let matrix = match picture.color_space() {
            ff::color::Space::BT709 | ff::color::Space::SMPTE240M => ColorMatrix::Bt709,
            ff::color::Space::BT2020NCL | ff::color::Space::BT2020CL => ColorMatrix::Bt2020,
            _ => ColorMatrix::Bt601,
        };
        let interlaced = picture.is_interlaced();
        let top_first = picture.is_top_first();
        let Some((layout, picture)) = in_layout(picture) else {
            self.packets.corrupt += 1;
            return Ok(None);
        };
        let held: Arc<dyn PlaneData> = Arc::new(DecodedPlanes(picture));
        let decoded = VideoFrame::new(at, size, layout, held);
        let Ok(mut frame) = decoded.and_then(|frame| {
            if !interlaced {
                return Ok(frame);
            }
            self.interlaced += 1;
            VideoFrame::new(at, size, layout, Arc::new(first_field(&frame, top_first)))
        }) else {
            self.packets.corrupt += 1;
            return Ok(None);
        };
        frame.matrix = matrix;
        frame.rotation = self.rotation;
        frame.packet_bytes = packet_bytes.unwrap_or(0);
        frame.key = key;
        frame.damaged = self.broken;
        self.frames += 1;
        Ok(Some(frame))
    }

    /// The frame's time; a missing one is set a usual step after the last, a descending one just after it.
    fn time(&mut self, picture: &ff::frame::Video, zero: i64) -> Timestamp {
        let declared = picture.timestamp().map(|t| Timestamp(micros(t, self.packets.time_base).saturating_sub(zero)));
        let at = match (declared, self.last) {
            (Some(at), Some(last)) if at > last => at,
            (Some(at), None) => at,
            (Some(_), Some(last)) => {
                self.repaired += 1;
                last.plus(LEAST_STEP)
            }
            (None, last) => {
                self.repaired += 1;
                last.map_or(Timestamp::ZERO, |l| l.plus(self.step))
            }
        };
        self.last = Some(at);
        at
    }

    pub(super) fn notes(&mut self, out: &mut Vec<MediaNote>) {
        out.append(&mut self.notes);
        if self.repaired > 0 {
            let message = format!("{} frames had no time or one that does not ascend", self.repaired);
            out.push(MediaNote::new("timestamps_repaired", None, message));
        }
        if self.interlaced > 0 {
            let message = format!("of {} interlaced frames the first field was kept", self.interlaced);
            out.push(MediaNote::new("deinterlaced", None, message));
        }
        if let (count, Some(at)) = self.damaged {
            let message = format!("{count} frames were decoded with errors");
            out.push(MediaNote::new("corrupt_frames", Some(Span::new(at, at)), message));
        }
        if self.frames == 0 {
            out.push(MediaNote::new("no_pictures", None, "the picture stream holds no frame that could be decoded"));
        }
    }
}

fn check_size(name: &str, (width, height): (u32, u32), most: u64) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(Error::media(name, format!("its picture stream has frames of {width}x{height} pixels")));
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels <= most {
        return Ok(());
    }
    Err(Error::Limit {
        input: name.to_owned(),
        what: "its frame size",
        value: format!("{width}x{height} pixels"),
        limit: format!("{most} pixels"),
    })
}

/// Width and height in the container, read without opening the codec.
fn declared_size(stream: &ff::Stream<'_>) -> (u32, u32) {
    ff::codec::Context::from_parameters(stream.parameters())
        .map(|context| ff::decoder::Video(ff::decoder::Opened(context.decoder())))
        .map_or((0, 0), |video| (video.width(), video.height()))
}

fn describe(stream: &ff::Stream<'_>, decoder: &ff::decoder::Video, rotation: Rotation) -> VideoStreamInfo {
    let rate = |r: ff::Rational| if r.1 == 0 { 0.0 } else { f64::from(r.0) / f64::from(r.1) };
    let aspect = rate(decoder.aspect_ratio());
    let named = |name: Option<&'static str>| name.map(str::to_owned);
    VideoStreamInfo {
        index: stream.index(),
        codec: decoder.id().name().to_owned(),
        width: decoder.width(),
        height: decoder.height(),
        profile: probe::profile(decoder.profile()),
        encoder: None,
        frame_rate: rate(stream.avg_frame_rate()),
        base_rate: rate(stream.rate()),
        declared_frames: probe::declared(stream.frames()),
        frames: 0,
        pixel_aspect: if aspect > 0.0 { aspect } else { 1.0 },
        color: [
            named(decoder.color_space().name()),
            named(decoder.color_primaries().name()),
            named(decoder.color_transfer_characteristic().name()),
            named(decoder.color_range().name()),
        ],
        rotation,
        pixel_format: decoder.format().descriptor().map_or_else(String::new, |d| d.name().to_owned()),
        reordered: decoder.has_b_frames(),
        interlaced: false,
        bit_rate: u64::try_from(decoder.bit_rate()).ok().filter(|&b| b > 0),
        start_s: 0.0,
        tags: probe::tags(&stream.metadata()),
    }
}

/// Keeps the size of a packet by its time.
fn remember(sizes: &mut VecDeque<(i64, u32)>, packet: &ff::Packet) {
    // some containers (AVI) have decoding times alone
    if let Some(time) = packet.pts().or(packet.dts()) {
        sizes.push_back((time, u32::try_from(packet.size()).unwrap_or(u32::MAX)));
        if sizes.len() > REMEMBERED {
            sizes.pop_front();
        }
    }
}

/// The decoder's own buffers, held as long as the frame.
struct DecodedPlanes(ff::frame::Video);

impl PlaneData for DecodedPlanes {
    fn plane(&self, index: usize) -> (&[u8], usize) {
        if index < self.0.planes() { (self.0.data(index), self.0.stride(index)) } else { (&[], 0) }
    }
}

/// The layout of a picture, after conversion if it has none of ours.
fn in_layout(picture: ff::frame::Video) -> Option<(PixelLayout, ff::frame::Video)> {
    let format = picture.format();
    let name = format.descriptor()?.name();
    let full_range = picture.color_range() == ff::color::Range::JPEG || name.starts_with("yuvj");
    let yuv = |sub_x, sub_y| PixelLayout::Yuv { sub_x, sub_y, full_range };
    // rows stored from the bottom up have a negative stride, which a slice cannot show
    let upwards = (0..picture.planes()).any(|i| picture.stride(i) > i32::MAX as usize);
    let ours = match format {
        Pixel::YUV420P | Pixel::YUVJ420P | Pixel::YUVA420P => Some(yuv(1, 1)),
        Pixel::YUV422P | Pixel::YUVJ422P | Pixel::YUVA422P => Some(yuv(1, 0)),
        Pixel::YUV444P | Pixel::YUVJ444P | Pixel::YUVA444P => Some(yuv(0, 0)),
        Pixel::YUV440P | Pixel::YUVJ440P => Some(yuv(0, 1)),
        Pixel::YUV411P => Some(yuv(2, 0)),
        Pixel::YUV410P => Some(yuv(2, 2)),
        Pixel::NV12 => Some(PixelLayout::Nv12 { full_range }),
        Pixel::GRAY8 => Some(PixelLayout::Grey { full_range: picture.color_range() != ff::color::Range::MPEG }),
        Pixel::RGB24 => Some(PixelLayout::Rgb),
        _ => None,
    };
    if let Some(layout) = ours.filter(|_| !upwards) {
        return Some((layout, picture));
    }
    let descriptor = format.descriptor()?;
    let (target, layout) = if ["rgb", "bgr", "gbr", "pal8", "xyz", "bayer"].iter().any(|c| name.contains(c)) {
        (Pixel::RGB24, PixelLayout::Rgb)
    } else if name.starts_with("gray") || name.starts_with("mono") {
        (Pixel::GRAY8, PixelLayout::Grey { full_range: true })
    } else {
        match (descriptor.log2_chroma_w(), descriptor.log2_chroma_h()) {
            (0, 0) => (Pixel::YUV444P, yuv(0, 0)),
            (_, 0) => (Pixel::YUV422P, yuv(1, 0)),
            _ => (Pixel::YUV420P, yuv(1, 1)),
        }
    };
    let (width, height) = (picture.width(), picture.height());
    // made anew for each picture: it is cheap beside the conversion, and it could not be sent between threads
    let flags = scaling::Flags::BILINEAR | scaling::Flags::ACCURATE_RND;
    let mut converter = scaling::Context::get(format, width, height, target, width, height, flags).ok()?;
    let mut converted = ff::frame::Video::empty();
    converter.run(&picture, &mut converted).ok()?;
    Some((layout, converted))
}

/// Planes in which the rows of the second field are the mean of the rows around them.
fn first_field(frame: &VideoFrame, top_first: bool) -> Vec<(Vec<u8>, usize)> {
    let first = usize::from(!top_first);
    (0..frame.plane_count())
        .map(|index| {
            let plane = frame.plane(index);
            let mut bytes = Vec::with_capacity(plane.width * plane.height);
            for y in 0..plane.height {
                if y % 2 == first || plane.height < 3 {
                    bytes.extend_from_slice(plane.row(y));
                    continue;
                }
                let above = plane.row(if y == 0 { 1 } else { y - 1 });
                let below = plane.row(if y + 1 < plane.height { y + 1 } else { y - 1 });
                bytes.extend(above.iter().zip(below).map(|(&a, &b)| a.midpoint(b)));
            }
            (bytes, plane.width)
        })
        .collect()
}
