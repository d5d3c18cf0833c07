use super::*;
use crate::track::Turn;

/// Speech of face 0 in the first minute, then a minute of silence.
fn tracks() -> Tracks {
    let span = Span::new(Timestamp::ZERO, Timestamp::from_seconds(60.0));
    Tracks { turns: vec![Turn { span, face: Some(0), confidence: 1.0 }], candidate: Some(0), ..Tracks::default() }
}

/// Noise in -1..1: Numerical Recipes' congruences.
fn noise(seed: &mut u32) -> f32 {
    *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (f64::from(*seed) / f64::from(u32::MAX)).mul_add(2.0, -1.0) as f32
}

/// Two minutes, five looks a second; `gaze` at seconds, with the noise that was measured (0.02 between two looks).
fn seen(open: impl Fn(f32) -> f32, gaze: impl Fn(f32) -> f32) -> Gaze {
    let mut seed = 1;
    let look = |n: i64| {
        let at = Timestamp(n * 200_000);
        let t = at.seconds() as f32;
        Look { at, face: 0, share: 0.5 + gaze(t) + 0.02 * noise(&mut seed), open: open(t) }
    };
    Gaze { looks: (0..600).map(look).collect() }
}

/// Lines of 2.5 s.
fn lines(t: f32) -> f32 {
    0.18 * ((t / 2.5).fract().mul_add(1.0, -0.5))
}

fn notes(gaze: &Gaze) -> Vec<Evidence> {
    let (tracks, media) = (tracks(), crate::media::MediaInfo::default());
    let whole =
        Whole { span: Span::new(Timestamp::ZERO, Timestamp::from_seconds(120.0)), tracks: &tracks, media: &media };
    let mut out = Vec::new();
    gaze.conclude(&whole, &mut out);
    out
}

#[test]
fn lines_while_speaking_are_noted_without_weight() {
    for way in [1.0, -1.0] {
        let found = notes(&seen(|_| 0.3, |t| if t < 60.0 { way * lines(t) } else { 0.0 }));
        assert!(!found.is_empty());
        assert!(found.iter().all(|e| e.code == "answers.gaze" && e.finding == Finding::Note));
        assert!(found[0].facts["sweeps_per_min_speaking"] > 12.0, "{:?}", found[0].facts);
        assert!(found[0].facts["sweeps_per_min_listening"] < 1.5, "{:?}", found[0].facts);
        assert!(found.iter().all(|e| e.span.end.seconds() < 62.0));
    }
}

#[test]
fn other_movements_are_no_lines() {
    assert!(notes(&seen(|_| 0.3, |_| 0.0)).is_empty(), "fixation");
    assert!(notes(&seen(|_| 0.3, |t| 0.1 * (1.5 * t).sin())).is_empty(), "a slow sine");
    assert!(notes(&seen(|_| 0.3, |t| if (t / 1.7).fract() < 0.5 { 0.1 } else { -0.1 })).is_empty(), "two places");
    for seed in 1..40 {
        // a new place every 0.6 to 1.8 s
        let (mut state, mut until, mut places) = (seed * 7919, 0.0, Vec::new());
        while until < 120.0 {
            until += 1.2 + 0.6 * noise(&mut state);
            places.push((until, 0.12 * noise(&mut state)));
        }
        let saccades = |t: f32| places.iter().find(|(end, _)| t < *end).map_or(0.0, |(_, place)| *place);
        assert!(notes(&seen(|_| 0.3, saccades)).is_empty(), "saccades {seed}");
    }
}

#[test]
fn lines_while_listening_as_well_say_nothing() {
    assert!(notes(&seen(|_| 0.3, lines)).is_empty());
}

#[test]
fn little_listening_or_another_face_says_nothing() {
    let mut gaze = seen(|_| 0.3, lines);
    gaze.looks.retain(|l| l.at.seconds() < 65.0);
    assert!(notes(&gaze).is_empty());
    let mut gaze = seen(|_| 0.3, |t| if t < 60.0 { lines(t) } else { 0.0 });
    gaze.looks.iter_mut().for_each(|l| l.face = 1);
    assert!(notes(&gaze).is_empty());
}

#[test]
fn blinks_are_left_out() {
    // every third second the lids fall and the dark jumps
    let shut = |t: f32| t.rem_euclid(3.0) < 0.35;
    let blinks = seen(|t| if shut(t) { 0.1 } else { 0.3 }, |t| if shut(t) { -0.3 } else { 0.0 });
    assert!(notes(&blinks).is_empty());
    assert!(notes(&seen(|_| 0.0, lines)).is_empty(), "shut eyes");
}

/// A grey crop whose eyes have white and a dark disc at `share`.
fn drawn(share: f32) -> (Vec<u8>, [[f32; 2]; 4]) {
    let mut crop = vec![150u8; CROP * CROP * 3];
    let (left, right) = ([34.0f32, 51.0f32], [52.0f32, 51.0f32]);
    for y in 48..55usize {
        for x in 34..53usize {
            let away = (x as f32 - (left[0] + share * 18.0)).abs();
            let value = if away < 3.8 { 50 } else { 220 };
            crop[3 * (y * CROP + x)..][..3].fill(value);
        }
    }
    (crop, [left, right, [43.0, 48.0], [43.0, 54.0]])
}

#[test]
fn the_iris_is_found_where_it_was_drawn() {
    for share in [0.35, 0.42, 0.5, 0.58, 0.65] {
        let (crop, eye) = drawn(share);
        let found = iris(&luma_of_rgb(&crop), eye).unwrap();
        assert!((found - share).abs() < 0.05, "{found} for {share}");
    }
    assert!(iris(&vec![150.0; CROP * CROP], drawn(0.5).1).is_none(), "nothing is dark");
}

#[test]
fn small_and_turned_faces_are_not_looked_at() {
    let (crop, _) = drawn(0.5);
    let mut face = FaceObservation {
        track: 0,
        at: Timestamp::ZERO,
        bounds: [0.0; 4],
        share: [0.0; 4],
        points: [[0.34, 0.40], [0.66, 0.40], [0.50, 0.58], [0.38, 0.75], [0.62, 0.75]]
            .map(|p| p.map(|v| v * CROP as f32)),
        mesh: vec![[0.0; 2]; 478].into(),
        ibug68: Vec::new().into(),
        presence: 1.0,
        quality: crate::track::FaceQuality { interocular_px: 41.0, ..Default::default() },
        still: false,
        motion: None,
        mouth_open: 0.0,
        eyes_open: [0.3; 2],
        crop: None,
        context: None,
        mouth: None,
    };
    let mut mesh = face.mesh.to_vec();
    let mut both = crop;
    for (eye, x) in EYES.into_iter().zip([34.0, 76.0]) {
        for (i, p) in eye.into_iter().zip([[x, 51.0], [x + 18.0, 51.0], [x + 9.0, 48.0], [x + 9.0, 54.0]]) {
            mesh[i] = p;
        }
    }
    for y in 48..55usize {
        let row: Vec<u8> = both[3 * (y * CROP + 34)..3 * (y * CROP + 53)].to_vec();
        both[3 * (y * CROP + 76)..3 * (y * CROP + 95)].copy_from_slice(&row);
    }
    (face.mesh, face.crop) = (mesh.into(), Some(both.into()));
    let looked = |face: &FaceObservation| {
        let mut gaze = Gaze::default();
        gaze.push(std::slice::from_ref(face));
        gaze.looks
    };
    let good = looked(&face);
    assert_eq!(good.len(), 1);
    assert!((good[0].share - 0.5).abs() < 0.05, "{good:?}");
    face.quality.interocular_px = 20.0;
    assert!(looked(&face).is_empty());
    (face.quality.interocular_px, face.quality.yaw) = (41.0, 40.0);
    assert!(looked(&face).is_empty());
}
