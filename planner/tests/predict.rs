//! `planner predict`, `accuracy` and `fit` on input that cannot be used: one message, an exit code, never a panic.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Exit codes of `Exit`.
const DONE: i32 = 0;
const USAGE: i32 = 2;
const INVALID_DOCUMENT: i32 = 3;
const INFEASIBLE: i32 = 20;
const WRONG_DIGEST: i32 = 31;

/// Runs the planner with `input` on standard input.
fn planner(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_planner"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the planner starts");
    // A command that doesn't read its input closes the pipe.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("the planner ends")
}

/// Whether a text holds a number that is none.
fn holds_no_number(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.map(str::to_ascii_lowercase).any(|word| ["nan", "inf", "infinity"].contains(&word.as_str()))
}

/// Checks the exit code, that standard error has `says` and, where the command fails, one error alone.
fn check(arguments: &[&str], input: &str, exit: i32, says: &str) -> String {
    let output = planner(arguments, input);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let shown = format!("{arguments:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
    assert_eq!(output.status.code(), Some(exit), "{shown}");
    assert!(stderr.contains(says), "no `{says}` in {shown}");
    assert!(!stderr.contains("panicked"), "{shown}");
    assert!(!holds_no_number(&stdout), "{shown}");
    let errors = stderr.lines().filter(|line| line.to_ascii_lowercase().starts_with("error")).count();
    assert_eq!(errors, usize::from(exit != DONE), "{shown}");
    assert!(exit == DONE || stdout.is_empty(), "{shown}");
    stdout
}

/// `predict` with further arguments; what is not given is usual.
fn predict(arguments: &str, exit: i32, says: &str) -> String {
    let usual = [
        ("--model", "gpt2"),
        ("--machine", "H100"),
        ("--nodes", "1"),
        ("--global-batch", "64"),
        ("--strategy", "data:8"),
    ];
    let mut all = vec!["predict"];
    all.extend(usual.iter().filter(|(key, _)| !arguments.contains(key)).flat_map(|(key, value)| [*key, *value]));
    all.extend(arguments.split_whitespace());
    check(&all, "", exit, says)
}

#[test]
fn impossible_strategies_are_refused_with_the_reason() {
    predict("", DONE, "");
    predict("--strategy tensor:8", INFEASIBLE, "heads 12 cannot be divided by the tensor-parallel ranks 8");
    predict("--strategy data:1,pipeline:16 --nodes 2", INFEASIBLE, "12 layers cannot be cut into 16 stages");
    predict("--strategy pipeline:8,chunks:4", INFEASIBLE, "12 layers cannot be cut into 32 stages");
    predict("--global-batch 63", INFEASIBLE, "the global batch 63 cannot be divided by the data-parallel ranks 8");
    predict("--global-batch 4", INFEASIBLE, "the global batch 4 cannot be divided by the data-parallel ranks 8");
    predict("--strategy data:8,micro_batch:3", INFEASIBLE, "the batch of a replica 8 cannot be divided");
    predict("--strategy data:4", INFEASIBLE, "data 4 needs 4 devices, but there are 8");
    predict("--strategy data:16", INFEASIBLE, "data 16 needs 16 devices, but there are 8");
    predict("--strategy data:1,context:8 --sequence 1023", INFEASIBLE, "cannot be divided by the context-parallel");
    predict("--strategy data:8,shard:3,zero:3", INFEASIBLE, "cannot be divided by the ranks of a shard group");
    predict("--strategy data:8,expert:3", INFEASIBLE, "cannot be divided by the expert-parallel ranks");
    predict("--machine L4 --precision fp32", INFEASIBLE, "the data sheet of L4 states no peak in fp32");
    predict("--model resnet50 --strategy data:4,tensor:2", INFEASIBLE, "can be trained in data parallel only");
    predict("--model llama3-405b --machine L4 --strategy data:8", DONE, "");
}

#[test]
fn unknown_names_are_told_with_the_nearest_known_one() {
    predict("--model gpt9", USAGE, "no network is called `gpt9`");
    predict("--machine H1000", USAGE, "no accelerator is called `H1000`");
    predict("--machine H1000", USAGE, "did you mean");
    predict("--precision fp17", USAGE, "fp17");
    predict("--strategy dta:8", USAGE, "a strategy has no `dta`");
    predict("--strategy data:8,data:8", USAGE, "`data` is given twice");
    predict("--strategy data:8,zero:4", USAGE, "a stage from 0 to 3");
    predict("--strategy data", USAGE, "not `key:value`");
    predict("--network 7", USAGE, "--network");
    predict("--calibration /nowhere/training.json", USAGE, "/nowhere/training.json");
    predict("--stack Nobody/Knows", DONE, "");
}

#[test]
fn sizes_of_nothing_and_of_everything_are_refused() {
    for zero in ["--global-batch 0", "--nodes 0", "--devices-per-node 0", "--sequence 0", "--strategy data:0"] {
        predict(zero, USAGE, "0");
    }
    predict("--strategy data:8,micro_batch:0", USAGE, "`micro_batch` takes a whole number from 1");
    predict("--global-batch 9223372036854775808", INFEASIBLE, "the global batch is 9223372036854775808");
    predict("--global-batch 99999999999999999999", USAGE, "99999999999999999999");
    predict("--global-batch -1", USAGE, "-1");
    predict("--nodes 4000000000", INFEASIBLE, "devices");
    predict("--nodes 99999999999", USAGE, "99999999999");
    predict("--nodes 536870911 --strategy data:4294967288 --global-batch 4294967288", DONE, "");
    predict("--nodes 4294967295 --devices-per-node 1 --strategy data:4294967295 --global-batch 4294967295", DONE, "");
    predict("--sequence 1099511627776", INVALID_DOCUMENT, "more than 2^40");
    predict("--sequence 9223372036854775807", INVALID_DOCUMENT, "more than 2^40");
    predict("--model llama3-8b --sequence 8388608 --global-batch 8", DONE, "");
    predict("--global-batch 1099511627776", DONE, "");
    predict("--global-batch 1099511627776 --strategy data:1,pipeline:8", DONE, "");
    predict("--model gpt3-175b --strategy data:1,pipeline:8,chunks:12 --global-batch 1099511627776", DONE, "");
    predict("--model lstm-lm --global-batch 1099511627776", DONE, "");
    predict("--model dlrm --global-batch 1099511627776", DONE, "");
}

#[test]
fn a_search_without_a_result_says_so() {
    let search = |arguments: &str, exit, says: &str| {
        let machine = if arguments.contains("--machine") { &[][..] } else { &["--machine", "H100"] };
        let mut all = [&["predict"], machine].concat();
        all.extend(arguments.split_whitespace());
        check(&all, "", exit, says)
    };
    search("--model gpt2 --global-batch 64", DONE, "");
    search("--model megatron-1t --global-batch 8", INFEASIBLE, "no strategy fits");
    search("--model gpt2 --global-batch 7 --nodes 4000000000 --devices-per-node 1", INFEASIBLE, "no strategy fits");
    search("--model gpt2 --machine L4 --precision fp32 --global-batch 64", INFEASIBLE, "no peak in fp32");
    search("--model gpt2 --global-batch 9223372036854775808", INFEASIBLE, "the global batch");
}

const HEADER: &str =
    "id,source,model_name,gpu,gpus,tp,pp,dp,micro_batch,global_batch,precision,measured_metric,measured_value";

/// A table of one good run and the given rows.
fn table(rows: &[&str]) -> String {
    let good = "P-1,github:a/b,gpt2,A100,8,1,1,8,8,64,bf16,iteration_time,0.2";
    format!("{HEADER}\n{good}\n{}\n", rows.join("\n"))
}

#[test]
fn broken_tables_are_refused_as_a_whole_or_row_by_row() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().to_str().expect("a name");
    let whole = |input: &str, exit, says: &str| {
        for command in [&["accuracy", "-"][..], &["fit", "-", "-o", out]] {
            check(command, input, exit, says);
        }
    };
    whole("", INVALID_DOCUMENT, "the table has no column `id`");
    whole("\n\n\n", INVALID_DOCUMENT, "the table has no column `id`");
    whole("id,source,gpu\n", INVALID_DOCUMENT, "the table has no column `gpus`");
    whole("\u{0}\u{1}\u{2}", INVALID_DOCUMENT, "the table has no column `id`");
    whole(&format!("{HEADER}\n"), INVALID_DOCUMENT, "no run of `-` can be used");
    let row = |row: &str, says: &str| {
        check(&["accuracy", "-", "--leave-out", "nothing"], &table(&[row]), DONE, says);
        whole(&table(&[row]), DONE, "1 runs used, 1 refused");
    };
    row("P-2,github:a/b,gpt2,A100", "the row has 4 fields, the header 13");
    row("P-2,github:a/b,gpt2,A100,8,1,1,8,8,64,bf16,iteration_time,0,2", "the row has 14 fields, the header 13");
    row("P-2,github:a/b,gpt2,A100,,1,1,8,8,64,bf16,iteration_time,0.2", "the number of devices is not stated");
    row("P-2,github:a/b,gpt2,A100,eight,1,1,8,8,64,bf16,iteration_time,0.2", "gpus `eight` is no number");
    row("P-2,github:a/b,gpt2,A100,0,1,1,8,8,64,bf16,iteration_time,0.2", "gpus 0 is no whole number from 1");
    row("P-2,github:a/b,gpt2,A100,NaN,1,1,8,8,64,bf16,iteration_time,0.2", "gpus NaN is no whole number from 1");
    row("P-2,github:a/b,gpt2,A100,8,1,1,8,8,1e300,bf16,iteration_time,0.2", "global_batch 1e300 is no whole number");
    row("P-2,github:a/b,gpt2,A100,8,1,1,8,8,63,bf16,iteration_time,0.2", "the global batch 63 cannot be divided");
    row("P-2,github:a/b,gpt9,A100,8,1,1,8,8,64,bf16,iteration_time,0.2", "`gpt9` is no known network");
    row("P-2,github:a/b,gpt2,A1,8,1,1,8,8,64,bf16,iteration_time,0.2", "no data sheet of `A1`");
    row("P-2,github:a/b,gpt2,A100,8,1,1,8,8,64,bf17,iteration_time,0.2", "unknown precision `bf17`");
    row("P-2,github:a/b,gpt2,A100,8,1,1,8,8,64,bf16,speed,0.2", "unknown metric `speed`");
    for value in ["NaN", "inf", "-inf", "-1", "0", "-0", "1e999"] {
        row(&format!("P-2,github:a/b,gpt2,A100,8,1,1,8,8,64,bf16,iteration_time,{value}"), "is not positive");
    }
    row("P-2,github:a/b,gpt2,A100,8,1,1,8,8,64,bf16,iteration_time,fast", "`fast` is no number");
    row("P-2,github:a/b,gpt2,A100,8,1,1,8,8,64,bf16,throughput,1e-320", "throughput 1e-320 is no step");
    row("P-2,github:a/b,gpt2,A100,8,1,1,8,8,64,bf16,mfu,1e-320", "mfu 1e-320 is no step");
    row("P-2,github:a/b,gpt2,A100,8,1,1,8,8,64,bf16,iteration_time,1e300", "iteration_time 1e300 is no step");
    row("P-2,github:a/b,gpt2,A100,8,1,1,8,8,64,bf16,peak_memory,1e300", "peak_memory 1e300 is no memory");
    let second = "P-2,github:a/b,gpt2,A100,8,1,1,8,8,128,bf16,iteration_time,0.39";
    whole(&table(&[second]), DONE, "2 runs used, 0 refused");
}

#[test]
fn a_table_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missing = folder.path().join("runs.csv");
    let missing = missing.to_str().expect("a name");
    check(&["accuracy", missing], "", USAGE, "cannot read the table");
    check(&["fit", missing, "-o", missing], "", USAGE, "cannot read the table");
    check(&["accuracy", folder.path().to_str().expect("a name")], "", USAGE, "cannot read the table");
}

#[test]
fn a_calibration_that_was_changed_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().to_str().expect("a name");
    let rows = ["P-2,github:a/b,gpt2,A100,16,1,1,16,8,128,bf16,iteration_time,0.21"];
    check(&["fit", "-", "-o", out], &table(&rows), DONE, "2 runs used, 0 refused");
    let path = folder.path().join("training.json");
    let with = |path: &Path| format!("--calibration {}", path.display());
    predict(&with(&path), DONE, "");
    let text = std::fs::read_to_string(&path).expect("the calibration");
    let check = |name: &str, changed: String, exit, says: &str| {
        assert_ne!(changed, text, "{name}");
        let path = folder.path().join(name);
        std::fs::write(&path, changed).expect("a writable folder");
        predict(&with(&path), exit, says);
    };
    check("digest.json", text.replacen("\"runs\": 2", "\"runs\": 3", 1), WRONG_DIGEST, "digest");
    check("format.json", text.replacen("calibration/1", "calibration/9", 1), INVALID_DOCUMENT, "calibration/9");
    check("short.json", text[..text.len() / 2].to_owned(), INVALID_DOCUMENT, "short.json");
    check("empty.json", String::new(), INVALID_DOCUMENT, "empty.json");
}
