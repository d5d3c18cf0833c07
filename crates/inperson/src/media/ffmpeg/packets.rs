//! Packets of one stream on their way into its decoder.

use ffmpeg_next as ff;

/// How far one stream is read ahead while the other is waited for: microseconds and bytes.
const AHEAD: (i64, usize) = (5_000_000, 16 << 20);

/// Packets of one stream that wait to be decoded.
pub(super) struct Packets {
    pub(super) index: usize,
    pub(super) time_base: ff::Rational,
    queue: std::collections::VecDeque<(ff::Packet, Option<i64>)>,
    bytes: usize,
    /// Packets and pictures that could not be decoded.
    pub(super) corrupt: u64,
    /// Time of the newest packet, microseconds; `None` before the first.
    pub(super) last_at: Option<i64>,
    /// The decoder was told that no more come.
    draining: bool,
    /// Everything was decoded.
    pub(super) ended: bool,
}

impl Packets {
    pub(super) fn new(stream: &ff::Stream<'_>) -> Self {
        let queue = std::collections::VecDeque::new();
        Self {
            index: stream.index(),
            time_base: stream.time_base(),
            queue,
            bytes: 0,
            corrupt: 0,
            last_at: None,
            draining: false,
            ended: false,
        }
    }

    pub(super) fn push(&mut self, packet: ff::Packet, at: Option<i64>) {
        self.bytes += packet.size();
        self.last_at = at.or(self.last_at).or(Some(0));
        self.queue.push_back((packet, at));
    }

    fn pop(&mut self) -> Option<ff::Packet> {
        let (packet, _) = self.queue.pop_front()?;
        self.bytes -= packet.size();
        Some(packet)
    }

    /// Decodes into `frame`, which has something new in it where this says so; else packets are needed, or the stream has ended.
    /// `sent` is shown every packet that goes to the decoder.
    pub(super) fn decode(
        &mut self,
        decoder: &mut ff::decoder::Opened,
        frame: &mut ff::Frame,
        input_ended: bool,
        mut sent: impl FnMut(&ff::Packet),
    ) -> bool {
        while !self.ended {
            match decoder.receive_frame(frame) {
                Ok(()) => return true,
                Err(ff::Error::Eof) => {
                    self.ended = true;
                    break;
                }
                // damaged: the decoder goes on with the next
                Err(ff::Error::InvalidData) => {
                    self.corrupt += 1;
                    continue;
                }
                Err(_) => {}
            }
            if let Some(packet) = self.pop() {
                sent(&packet);
                self.corrupt += u64::from(decoder.send_packet(&packet).is_err());
            } else if input_ended && !self.draining {
                self.draining = true;
                self.ended = decoder.send_eof().is_err();
            } else {
                self.ended = input_ended;
                break;
            }
        }
        false
    }

    pub(super) fn far_ahead(&self) -> bool {
        let first = self.queue.iter().find_map(|(_, at)| *at);
        let span = first.zip(self.last_at).map_or(0, |(a, b)| b.saturating_sub(a));
        span > AHEAD.0 || self.bytes > AHEAD.1
    }
}
