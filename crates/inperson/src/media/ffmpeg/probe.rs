//! What the container and its streams declare.

use std::collections::BTreeMap;

use ff::codec::packet::side_data;
use ffmpeg_next as ff;

use crate::error::{Error, Result};
use crate::media::{Limits, MediaInfo, Rotation};

pub(super) fn container(input: &ff::format::context::Input) -> MediaInfo {
    let count = |kind| input.streams().filter(|s| s.parameters().medium() == kind).count();
    MediaInfo {
        container: input.format().name().to_owned(),
        declared_duration_s: (input.duration() > 0).then(|| input.duration() as f64 / 1e6),
        bit_rate: declared(input.bit_rate()),
        tags: tags(&input.metadata()),
        stream_counts: [count(ff::media::Type::Video), count(ff::media::Type::Audio)],
        ..MediaInfo::default()
    }
}

pub(super) fn check_limits(input: &ff::format::context::Input, info: &MediaInfo, limits: &Limits) -> Result<()> {
    let passed = |what, value, limit| Err(Error::Limit { input: info.input.clone(), what, value, limit });
    let streams = input.nb_streams() as usize;
    if streams > limits.streams {
        return passed("its number of streams", streams.to_string(), limits.streams.to_string());
    }
    match info.declared_duration_s {
        Some(s) if s > limits.duration_s => {
            passed("its duration", format!("{s:.0} s"), format!("{:.0} s", limits.duration_s))
        }
        _ => Ok(()),
    }
}

/// A declared number, where it says anything.
pub(super) fn declared(value: i64) -> Option<u64> {
    u64::try_from(value).ok().filter(|&v| v > 0)
}

pub(super) fn tags(dictionary: &ff::DictionaryRef<'_>) -> BTreeMap<String, String> {
    // FFmpeg does not promise UTF-8
    let clean = |text: &str| String::from_utf8_lossy(text.as_bytes()).into_owned();
    dictionary.iter().map(|(key, value)| (clean(key), clean(value))).collect()
}

/// The codec's profile in FFmpeg's words, without the codec's name.
pub(super) fn profile(profile: ff::codec::Profile) -> Option<String> {
    let text = format!("{profile:?}");
    let inner = text.split_once('(').map(|(_, rest)| rest.trim_end_matches(')').to_owned());
    inner.filter(|p| !p.is_empty())
}

/// Start of a stream in microseconds, where it is known.
pub(super) fn start(stream: &ff::Stream<'_>) -> Option<i64> {
    let start = stream.start_time();
    (start != i64::MIN).then(|| super::micros(start, stream.time_base()))
}

/// The turn in the stream's display matrix, and whether it had to be rounded to a quarter.
pub(super) fn rotation(stream: &ff::Stream<'_>) -> (Rotation, bool) {
    let matrix = stream.side_data().find(|s| s.kind() == side_data::Type::DisplayMatrix);
    matrix.map_or((Rotation::None, false), |s| turn(s.data()))
}

/// The clockwise turn of a display matrix of nine native-endian 32-bit numbers.
pub(super) fn turn(matrix: &[u8]) -> (Rotation, bool) {
    let cell = |i: usize| {
        let bytes = matrix.get(4 * i..4 * i + 4).and_then(|b| b.try_into().ok());
        f64::from(bytes.map_or(0, i32::from_ne_bytes))
    };
    // where "down" goes tells the turn, also of a picture that is mirrored as well; mirrors stay, since faces look alike in them
    let (b, d) = (cell(1), cell(4));
    if b == 0.0 && d == 0.0 {
        return (Rotation::None, false);
    }
    let angle = b.atan2(d).to_degrees();
    let quarters = (angle / 90.0).round();
    let rotation = match (quarters as i64).rem_euclid(4) {
        1 => Rotation::Quarter,
        2 => Rotation::Half,
        3 => Rotation::ThreeQuarters,
        _ => Rotation::None,
    };
    (rotation, (angle - 90.0 * quarters).abs() > 1.0)
}

/// The signature that encoding libraries leave in the stream: the printable run that starts with a known name.
pub(super) fn signature(packet: &[u8]) -> Option<String> {
    const KNOWN: [&[u8]; 4] = [b"x264 - core", b"x265 (build", b"Lavc", b"VideoToolbox"];
    const LONGEST: usize = 60;
    let start = KNOWN.iter().find_map(|name| packet.windows(name.len()).position(|w| w == *name))?;
    let run = packet[start..].iter().take(LONGEST).take_while(|b| (0x20..0x7f).contains(*b));
    Some(run.map(|&b| char::from(b)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_turn_clockwise() {
        let matrix = |cells: [i32; 5]| cells.iter().flat_map(|c| (c << 16).to_ne_bytes()).collect::<Vec<_>>();
        for (cells, rotation) in [
            ([1, 0, 0, 0, 1], Rotation::None),
            ([0, 1, 0, -1, 0], Rotation::Quarter),
            ([-1, 0, 0, 0, -1], Rotation::Half),
            ([0, -1, 0, 1, 0], Rotation::ThreeQuarters),
            ([1, 0, 0, 0, -1], Rotation::Half),
            ([-1, 0, 0, 0, 1], Rotation::None),
            ([0, 1, 0, 1, 0], Rotation::Quarter),
            ([0, -1, 0, -1, 0], Rotation::ThreeQuarters),
            ([0, 0, 0, 0, 0], Rotation::None),
        ] {
            assert_eq!(turn(&matrix(cells)), (rotation, false), "{cells:?}");
        }
        assert_eq!(turn(&[]), (Rotation::None, false));
        assert_eq!(turn(&matrix([2, 1, 0, 0, 2])), (Rotation::None, true));
    }

    #[test]
    fn signatures_end_at_the_first_unprintable_byte() {
        assert_eq!(signature(b"\0\x01x264 - core 164 r3095\0more").as_deref(), Some("x264 - core 164 r3095"));
        assert_eq!(signature(b"nothing"), None);
    }
}
