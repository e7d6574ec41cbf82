//! Memory that a rank holds, now and at most.
//!
//! Ranks are threads of one process, so the allocator counts the bytes of each for itself: what a rank's thread has
//! allocated is the rank's until it is freed, whichever thread frees it. A GPU's memory is not in here; its driver is asked.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Mutex, Once, PoisonError};

use tracking_allocator::{AllocationGroupId, AllocationGroupToken, AllocationRegistry, AllocationTracker};

/// Meters that can be told apart in one process; further ones measure nothing.
const METERS: usize = 1024;

/// Bytes of one group of allocations.
#[derive(Debug)]
struct Count {
    held: AtomicI64,
    peak: AtomicI64,
}

static COUNTS: [Count; METERS] = [const { Count { held: AtomicI64::new(0), peak: AtomicI64::new(0) } }; METERS];

/// Groups of threads that have ended and left nothing behind.
static FREE: Mutex<Vec<AllocationGroupToken>> = Mutex::new(Vec::new());

struct Tracker;

/// No allocation is longer than `isize::MAX` bytes.
fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl AllocationTracker for Tracker {
    fn allocated(&self, _: usize, bytes: usize, _: usize, group: AllocationGroupId) {
        if let Some(count) = COUNTS.get(group.as_usize().get()) {
            let bytes = signed(bytes);
            count.peak.fetch_max(count.held.fetch_add(bytes, Relaxed) + bytes, Relaxed);
        }
    }

    fn deallocated(&self, _: usize, bytes: usize, _: usize, source: AllocationGroupId, _: AllocationGroupId) {
        if let Some(count) = COUNTS.get(source.as_usize().get()) {
            count.held.fetch_sub(signed(bytes), Relaxed);
        }
    }
}

/// Counts the memory of one thread.
#[derive(Debug)]
pub struct Meter {
    count: Option<&'static Count>,
}

impl Meter {
    /// Bytes that the thread has allocated since it is metered and that are still in use.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.read(|count| &count.held)
    }

    /// Most bytes that were in use at one time since the last [`Meter::restart`].
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.read(|count| &count.peak)
    }

    /// Forgets the peak so far.
    pub fn restart(&self) {
        if let Some(count) = self.count {
            count.peak.store(count.held.load(Relaxed), Relaxed);
        }
    }

    fn read(&self, figure: impl Fn(&Count) -> &AtomicI64) -> u64 {
        self.count.map_or(0, |count| figure(count).load(Relaxed).max(0).cast_unsigned())
    }
}

/// Does `work` on this thread and meters what it allocates.
pub fn metered<T>(work: impl FnOnce(&Meter) -> T) -> T {
    static START: Once = Once::new();
    START.call_once(|| {
        // Nobody else sets a tracker.
        let _ = AllocationRegistry::set_global_tracker(Tracker);
        AllocationRegistry::enable_tracking();
    });
    let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let Some(mut token) = free.or_else(AllocationGroupToken::register) else { return work(&Meter { count: None }) };
    let meter = Meter { count: COUNTS.get(token.id().as_usize().get()) };
    meter.restart();
    let guard = token.enter();
    let done = work(&meter);
    drop(guard);
    if meter.held() == 0 {
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(token);
    }
    done
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::*;

    #[test]
    fn what_a_thread_holds_and_held_is_counted_and_that_of_others_is_not() {
        const KIB: usize = 1 << 10;
        std::thread::scope(|scope| {
            let other = scope.spawn(|| metered(|meter| (vec![0_u8; 512 * KIB], meter.held())));
            metered(|meter| {
                let kept = vec![0_u8; 64 * KIB];
                drop(vec![0_u8; 128 * KIB]);
                assert!((192..200).contains(&(meter.peak() as usize / KIB)), "{meter:?}");
                assert!((64..72).contains(&(meter.held() as usize / KIB)), "{meter:?}");
                let (theirs, held) = other.join().expect("it does not panic");
                assert!((512..520).contains(&(held as usize / KIB)), "{held}");
                drop((kept, theirs));
                meter.restart();
                assert!(meter.peak() < 8 * KIB as u64, "{meter:?}");
            });
        });
    }

    #[test]
    fn tensors_are_counted() {
        metered(|meter| {
            let tensor = Tensor::<2>::zeros([256, 1024], &Device::flex());
            let sum = tensor.clone() + 1.0;
            assert!((2 << 20..3 << 20).contains(&meter.held()), "{meter:?}");
            drop((tensor, sum));
            assert!(meter.held() < 1 << 16, "{meter:?}");
        });
    }
}
