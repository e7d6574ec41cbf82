//! What a scheduler of continuous batching puts into each round: sequences, blocks of cache, a budget of tokens.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use super::arrivals::Request;
use super::batching::MOST_RUNNING;
use super::pass::Work;

/// Tokens of a block of cache, the unit in which it is given out.
pub const BLOCK_TOKENS: u64 = 32;

/// When a request may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// When its whole answer has room: it is never stopped.
    Reserve,
    /// When its prompt has room. If the cache is full later, the youngest sequence gives its place back and is read again.
    Grow,
}

/// Rules of a scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheduler {
    /// When a request may enter.
    pub admission: Admission,
    /// Tokens of one round at most, over all stages.
    pub token_budget: NonZeroU32,
    /// Whether a prompt may be read in parts.
    pub chunked: bool,
}

impl Default for Scheduler {
    /// No sequence is ever stopped, and 8,192 tokens a round, prompts in parts.
    fn default() -> Self {
        const BUDGET: NonZeroU32 = NonZeroU32::new(8192).expect("not zero");
        Self { admission: Admission::Reserve, token_budget: BUDGET, chunked: true }
    }
}

/// A request in progress.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sequence {
    /// Which request.
    pub request: usize,
    pub input: u64,
    pub output: u64,
    /// Tokens in the cache.
    pub cached: u64,
    /// Tokens of the answer so far.
    pub answered: u64,
    blocks: u64,
    /// Tokens that this round reads of its prompt, or 1 to continue.
    now: u64,
}

impl Sequence {
    pub(super) const fn new(request: usize, of: Request) -> Self {
        Self { request, input: of.input, output: of.output, cached: 0, answered: 0, blocks: 0, now: 0 }
    }

    /// Tokens that must be in the cache before the next one comes: the prompt, and the answer so far.
    const fn known(&self) -> u64 {
        self.input + self.answered
    }

    /// Whether all but the newest token of an answer are in the cache, so that reading it continues the answer.
    const fn continues(&self) -> bool {
        self.answered > 0 && self.cached + 1 >= self.known()
    }
}

/// Sequences, waiting and in progress, and the free blocks of the cache.
#[derive(Debug)]
pub(super) struct Queue {
    rules: Scheduler,
    free: u64,
    pub waiting: VecDeque<Sequence>,
    /// In the order of their admission.
    pub running: Vec<Sequence>,
    pub preemptions: u64,
}

impl Queue {
    pub(super) fn new(rules: Scheduler, capacity_tokens: f64) -> Self {
        let free = capacity_tokens as u64 / BLOCK_TOKENS;
        Self { rules, free, waiting: VecDeque::new(), running: Vec::new(), preemptions: 0 }
    }

    /// Lets requests in, in their order, as long as there is room.
    pub(super) fn admit(&mut self) {
        while let Some(first) = self.waiting.front() {
            let tokens = match self.rules.admission {
                Admission::Reserve => first.input + first.output,
                Admission::Grow => first.known() + 1,
            };
            let blocks = tokens.div_ceil(BLOCK_TOKENS);
            if self.running.len() as f64 >= MOST_RUNNING || blocks > self.free {
                return;
            }
            self.free -= blocks;
            self.running.extend(self.waiting.pop_front().map(|sequence| Sequence { blocks, ..sequence }));
        }
    }

    /// The work of the next round: every sequence that can continue does, prompts fill what is left of the budget.
    pub(super) fn plan(&mut self) -> Work {
        self.make_room();
        let mut work = Work::default();
        for sequence in &mut self.running {
            sequence.now = u64::from(sequence.continues());
            if sequence.now == 1 {
                work.decoded += 1.0;
                work.looked_back += sequence.cached as f64;
                work.answers += 1.0;
            }
        }
        let mut budget = u64::from(self.rules.token_budget.get()).saturating_sub(work.decoded as u64);
        for sequence in self.running.iter_mut().filter(|sequence| sequence.now == 0) {
            let left = sequence.known() - sequence.cached;
            // A prompt longer than the budget has a round to itself where it may not be cut.
            let now = if self.rules.chunked || left <= budget || work.prompt == 0.0 { left } else { 0 };
            sequence.now = if self.rules.chunked { now.min(budget) } else { now };
            budget = budget.saturating_sub(sequence.now);
            let (read, before) = (sequence.now as f64, sequence.cached as f64);
            work.prompt += read;
            work.pairs += read * (2.0 * before + read + 1.0) / 2.0;
            work.answers += f64::from(u8::from(sequence.now == left));
            if budget == 0 {
                break;
            }
        }
        work
    }

    /// Ends a round: `answered` hears of each sequence with a new token. Finished sequences leave.
    pub(super) fn finish(&mut self, mut answered: impl FnMut(&Sequence)) {
        for sequence in &mut self.running {
            sequence.cached += sequence.now;
            if sequence.now > 0 && sequence.cached >= sequence.known() {
                sequence.answered += 1;
                answered(sequence);
            }
            sequence.now = 0;
            if sequence.answered >= sequence.output {
                self.free += sequence.blocks;
            }
        }
        self.running.retain(|sequence| sequence.answered < sequence.output);
    }

    /// Gives every sequence that continues the block that its next token needs; where there is none, the youngest
    /// sequences go back to the front of the queue.
    fn make_room(&mut self) {
        let mut at = 0;
        while at < self.running.len() {
            let sequence = &self.running[at];
            let needed = (sequence.cached + 1).div_ceil(BLOCK_TOKENS);
            if !sequence.continues() || needed <= sequence.blocks {
                at += 1;
            } else if self.free > 0 {
                self.free -= 1;
                self.running[at].blocks += 1;
            } else if let Some(youngest) = self.running.pop() {
                self.free += youngest.blocks;
                self.preemptions += 1;
                self.waiting.push_front(Sequence { cached: 0, blocks: 0, ..youngest });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prompts of 30 and 50 tokens in a cache of three blocks: the first answer grows into the room of the second.
    fn crowded() -> Queue {
        let rules = Scheduler { admission: Admission::Grow, ..Scheduler::default() };
        let mut queue = Queue::new(rules, 3.0 * BLOCK_TOKENS as f64);
        let request = |input, output| Request { arrival: 0, input, output };
        queue.waiting.extend([Sequence::new(0, request(30, 40)), Sequence::new(1, request(50, 10))]);
        queue
    }

    #[test]
    fn a_stopped_sequence_reads_its_prompt_and_answer_again() {
        let mut queue = crowded();
        let (mut tokens, mut reread) = ([0u64; 2], 0.0);
        while !(queue.running.is_empty() && queue.waiting.is_empty()) {
            queue.admit();
            let work = queue.plan();
            if queue.preemptions > 0 && work.prompt > 0.0 {
                reread += work.prompt;
            }
            queue.finish(|sequence| tokens[sequence.request] += 1);
        }
        // Each answer has its length, however often it was stopped, and every block has come back.
        assert_eq!((tokens, queue.free, queue.preemptions), ([40, 10], 3, 1));
        // The second had answered three tokens when the first needed its third block.
        assert!((reread - 53.0).abs() < 1e-9, "{reread}");
    }

    #[test]
    fn a_reserved_place_is_kept() {
        let mut queue = crowded();
        queue.rules.admission = Admission::Reserve;
        queue.admit();
        assert_eq!((queue.running.len(), queue.waiting.len(), queue.free), (1, 1, 0));
    }
}
