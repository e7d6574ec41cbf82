//! Input that nobody means well with: it ends in a message, soon, and never in a panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{SMALL, WHOLE, load_text, rendered};
use crate::scenario::LoadError;

/// Checks the message for a text, and that it comes within a few seconds.
fn check(text: &str, message: &str) {
    let start = Instant::now();
    let shown = rendered(text);
    assert!(shown.contains(message), "{}", shown.chars().take(2000).collect::<String>());
    assert!(start.elapsed() < Duration::from_secs(10), "{message}: {:?}", start.elapsed());
}

#[test]
fn limits_hold() {
    check(&"# a comment that goes on and on\n".repeat(150_000), "the file has more than 4 MiB");
    check(&("[".repeat(100_000) + &"]".repeat(100_000)), "recursion limit exceeded");
    check(&"a:\n".repeat(1_000_000), "");
    let workloads: Vec<String> = (0..1001)
        .map(|i| format!("  w{i}: {{ job: {{ evaluate: {{ weights_of: w, data: d, records: 1 }} }} }}\n"))
        .collect();
    check(
        &SMALL.replace("workloads:\n", &("workloads:\n".to_owned() + &workloads.concat())),
        "1003 workloads are more than 1000",
    );
    let workloads: Vec<String> = (0..10_000).map(|i| format!("  w{i}: {{ job: {{}} }}\n")).collect();
    check(
        &SMALL.replace("workloads:\n", &("workloads:\n".to_owned() + &workloads.concat())),
        "10002 workloads are more than 1000",
    );
    let rules: Vec<String> = (0..10_000)
        .map(|i| format!("  r{i}: {{ effect: deny, data: [d{i}], forms: [raw], places: [p{i}] }}\n"))
        .collect();
    check(
        &SMALL.replace("policies:\n", &("policies:\n".to_owned() + &rules.concat())),
        "10001 policies are more than 10000",
    );
    check(&SMALL.replace("policies:\n", &("policies:\n".to_owned() + &rules[1..].concat())), "more problems");
}

#[test]
fn the_most_of_everything_is_checked_soon() {
    let text = |first: &str, count: usize, item: &dyn Fn(usize) -> String, last: &str| {
        format!("{first}{}{last}", (0..count).map(item).collect::<Vec<_>>().concat())
    };
    // A chain of the most workloads is followed to its end, and a ring of them is found.
    let evaluation = "job: { evaluate: { weights_of: train, data: scans, records: 9 } }";
    let chain = |i: usize| format!("  w{i}: {{ after: [w{}], {evaluation} }}\n", i + 1);
    let (before, after) = SMALL.split_once("  train:").expect("it trains");
    let after = format!("  train:{after}");
    let (end, ring) = (format!("  w997: {{ {evaluation} }}\n"), format!("  w997: {{ after: [w0], {evaluation} }}\n"));
    check(&text(before, 997, &chain, &format!("{end}{after}")), "no problems");
    check(&text(before, 997, &chain, &format!("{ring}{after}")), "these workloads wait for each other");
    // Every permission is compared with every denial of the same places.
    let rule = |i: usize| match i % 2 {
        0 => {
            format!("  r{i}: {{ effect: allow, classes: [health], forms: [raw, weights], places: [eea, CH, p{i}] }}\n")
        }
        _ => format!("  r{i}: {{ effect: deny, classes: [health], forms: [raw, weights], places: [eea, q{i}] }}\n"),
    };
    let places = |i: usize| {
        format!("  {}{i}: {{ as_of: 2026-01-01, places: [JP, KR] }}\n", if i.is_multiple_of(2) { 'p' } else { 'q' })
    };
    let groups = text("groups:\n", 9_999, &places, "datasets:\n");
    let small = SMALL.replace("forms: [raw]", "forms: [raw, metrics]");
    let (before, after) = small.split_once("policies:\n").expect("it has policies");
    let crowded = text(&format!("{before}policies:\n"), 9_999, &rule, after).replace("datasets:\n", &groups);
    check(&crowded, "no problems");
    // Long lists of names.
    let names = |count: usize| (0..count).map(|_| "scans").collect::<Vec<_>>().join(", ");
    let rule =
        format!("policies:\n  long: {{ effect: deny, data: [{}], forms: [raw], places: [CH] }}\n", names(400_000));
    let sets = text(
        "datasets:\n",
        9_000,
        &|i| format!("  d{i}: {{ class: health, at: [home], size: 1 B, records: 1 }}\n"),
        "",
    );
    check(&SMALL.replace("policies:\n", &rule).replace("datasets:\n", &sets), "no problems");
}

#[test]
fn bombs_of_aliases_are_refused() {
    let bomb: Vec<String> = (1..30).map(|i| format!("a{i}: &a{i} [{}]\n", format!("*a{},", i - 1).repeat(9))).collect();
    check(&("a0: &a0 [x]\n".to_owned() + &bomb.concat()), "aliases are not supported");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let message = load_text([b'a', b':', 0xff, 0xfe]).map(|_| ()).map_err(|error| match error {
        LoadError::Invalid { problems, .. } => problems[0].message.clone(),
        LoadError::Read { .. } => String::new(),
    });
    assert_eq!(message, Err("this is no text: byte 2 is not UTF-8".to_owned()));
}

/// One change of a text at a place that is given as a share of its length.
#[derive(Debug, Clone)]
enum Change {
    Delete(f64, usize),
    Insert(f64, String),
    Swap(f64, f64),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0.0..1.0f64;
    let piece = prop_oneof![
        "[ -~\n\t{}\\[\\]:,&*!|>'\"#%@-]{1,6}",
        Just("9999999999999999999999".to_owned()),
        Just("1e999".to_owned()),
        Just("é€\u{10ffff}\u{0}\u{feff}".to_owned()),
        Just("\n- ".to_owned()),
        Just("null".to_owned()),
    ];
    prop_oneof![
        (at.clone(), 1..40usize).prop_map(|(at, count)| Change::Delete(at, count)),
        (at.clone(), piece).prop_map(|(at, text)| Change::Insert(at, text)),
        (at.clone(), at).prop_map(|(a, b)| Change::Swap(a, b)),
    ]
}

fn apply(text: &str, change: &Change) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let place = |share: f64| (share * chars.len() as f64) as usize;
    match change {
        Change::Delete(at, count) => {
            let start = place(*at);
            let end = (start + count).min(chars.len());
            chars.drain(start..end);
        }
        Change::Insert(at, piece) => {
            let at = place(*at);
            chars.splice(at..at, piece.chars());
        }
        Change::Swap(a, b) if !chars.is_empty() => {
            let (a, b) = (place(*a), place(*b));
            chars.swap(a, b);
        }
        Change::Swap(..) => {}
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is done to a scenario, it is read or its problems have a place in it.
    #[test]
    fn no_change_makes_reading_panic(whole: bool, changes in prop::collection::vec(change(), 1..6)) {
        let hospital = include_str!("../../../library/mnist-hospital.yaml");
        let scenario = if whole { WHOLE } else { hospital };
        let text = changes.iter().fold(scenario.to_owned(), |text, change| apply(&text, change));
        if let Err(LoadError::Invalid { text, problems, .. }) = load_text(&text) {
            prop_assert!(!problems.is_empty());
            for problem in &problems {
                prop_assert!(text.get(problem.span.clone()).is_some(), "{:?}", problem);
                prop_assert!(!problem.message.is_empty());
            }
        }
        rendered(&text);
    }
}
