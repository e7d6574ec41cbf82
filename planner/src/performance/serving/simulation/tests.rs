use scenarios::precision::Precision;

use super::super::batching::operate;
use super::super::fixtures::{llama_70b, n, server};
use super::super::load::Load;
use super::super::scheduler::Admission;
use super::*;

fn h200(pipeline: u32) -> Server {
    server(llama_70b(), "H200-SXM-141GB", Precision::Fp8, 1, pipeline)
}

fn sized(sizes: &[(u32, u32)]) -> Vec<Bucket> {
    sizes.iter().map(|(input, output)| Bucket::only(n(*input), n(*output))).collect()
}

fn play(server: &Server, buckets: &[Bucket], requests: u32, arrivals: Arrivals, scheduler: Scheduler) -> Outcome {
    let load = Simulated { arrivals, requests: n(requests), scheduler, seed: 1 };
    simulate(server, buckets, &load, &Constants::prior()).expect("possible")
}

#[test]
fn a_queue_takes_as_long_as_the_closed_form_says() {
    let check = |pipeline: u32, sizes: &[(u32, u32)], requests: u32| {
        let (server, buckets) = (h200(pipeline), sized(sizes));
        let played = play(&server, &buckets, requests, Arrivals::AtOnce, Scheduler::default()).tokens_per_second;
        let load = Load::Queued(n(requests));
        let closed = operate(&server, &buckets, load, &Constants::prior()).expect("possible").tokens_per_second;
        assert!((closed / played - 1.0).abs() < 0.06, "{sizes:?} {requests}: {closed:.0} for {played:.0} tokens/s");
    };
    check(1, &[(128, 128)], 6000);
    check(1, &[(128, 2048)], 3000);
    check(1, &[(1000, 1000)], 3000);
    check(1, &[(1000, 1000)], 1000);
    check(1, &[(1000, 1000)], 300);
    check(1, &[(1000, 1000)], 100);
    check(1, &[(2048, 128)], 1000);
    check(1, &[(5000, 500)], 1500);
    check(2, &[(1000, 1000)], 3000);
    check(1, &[(200, 300), (2000, 600)], 3000);
}

#[test]
fn requests_that_arrive_wait_as_long_as_the_closed_form_says() {
    let check = |sizes: &[(u32, u32)], utilisation: f64| {
        let (server, buckets) = (h200(1), sized(sizes));
        let closed = |load| operate(&server, &buckets, load, &Constants::prior()).expect("possible");
        let rate = utilisation * closed(Load::Saturated).requests_per_second;
        let played = play(&server, &buckets, 4000, Arrivals::Poisson(rate), Scheduler::default());
        let closed = closed(Load::Rate(rate));
        let tokens = closed.token_seconds / played.token_seconds.mean;
        let first = closed.first_token_seconds / played.first_token_seconds.mean;
        assert!((tokens - 1.0).abs() < 0.03, "{sizes:?} {utilisation}: {tokens} of the time between tokens");
        assert!((first - 1.0).abs() < 0.15, "{sizes:?} {utilisation}: {first} of the time to the first token");
    };
    check(&[(500, 200)], 0.2);
    check(&[(500, 200)], 0.5);
    check(&[(500, 200)], 0.7);
    check(&[(100, 50), (1000, 300)], 0.5);
}

#[test]
fn every_rule_answers_every_request() {
    let check = |admission, chunked, budget: u32, preempts: bool| {
        let rules = Scheduler { admission, chunked, token_budget: n(budget) };
        let outcome = play(&h200(1), &sized(&[(300, 1500), (9000, 10)]), 600, Arrivals::AtOnce, rules);
        assert_eq!(outcome.preemptions > 0, preempts, "{rules:?}: {outcome:?}");
        assert!(outcome.tokens_per_second > 0.0 && outcome.first_token_seconds.p50 > 0.0, "{rules:?}: {outcome:?}");
        let Percentiles { p50, p90, p99, .. } = outcome.token_seconds;
        assert!(0.0 < p50 && p50 <= p90 && p90 <= p99, "{rules:?}: {outcome:?}");
        assert_eq!(outcome, play(&h200(1), &sized(&[(300, 1500), (9000, 10)]), 600, Arrivals::AtOnce, rules));
    };
    check(Admission::Reserve, true, 8192, false);
    check(Admission::Reserve, false, 8192, false);
    check(Admission::Reserve, true, 1, false);
    check(Admission::Grow, true, 8192, true);
    check(Admission::Grow, false, 256, true);
}

#[test]
fn prompts_in_parts_keep_answers_flowing() {
    let with = |budget| {
        let rules = Scheduler { token_budget: n(budget), ..Scheduler::default() };
        play(&h200(1), &sized(&[(100, 100), (20_000, 100)]), 500, Arrivals::Poisson(0.4), rules).token_seconds.p99
    };
    assert!(with(512) < 0.8 * with(32_768), "{} {}", with(512), with(32_768));
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let check = |sizes: &[(u32, u32)], requests: u32, arrivals| {
        let load = Simulated { arrivals, requests: n(requests), scheduler: Scheduler::default(), seed: 0 };
        let refused = simulate(&h200(1), &sized(sizes), &load, &Constants::prior());
        assert!(refused.is_err(), "{sizes:?} {requests}: {refused:?}");
    };
    check(&[], 1, Arrivals::AtOnce);
    check(&[(u32::MAX, 1)], 1, Arrivals::AtOnce);
    check(&[(100, u32::MAX)], 1, Arrivals::AtOnce);
    check(&[(100, 100)], u32::MAX, Arrivals::AtOnce);
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        check(&[(100, 100)], 1, Arrivals::Poisson(rate));
    }
}
