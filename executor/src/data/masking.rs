//! Hidden tokens that an encoder has to find (Devlin et al., 2019, section 3.1 and appendix A.1).

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::order::below;
use super::records::Layout;

/// Share of tokens that are to be found where nothing else is said.
pub(super) const USUAL_SHARE: f32 = 0.15;

/// Of the tokens that are to be found, the share that is masked, and the share that is masked or replaced.
const MASKED: f64 = 0.8;
const MASKED_OR_REPLACED: f64 = 0.9;

/// Hides tokens of a record; gives which of its places are to be found. Special tokens stay. At least one token is to be
/// found, if there is any.
pub(super) fn hide(tokens: &mut [i32], layout: &Layout, share: f32, random: &mut ChaCha8Rng) -> Vec<bool> {
    let stays = |token: i32| {
        let special = [Some(layout.padding), layout.first, layout.last, layout.mask];
        special.into_iter().flatten().any(|special| i64::from(special) == i64::from(token))
    };
    let candidates: Vec<usize> = (0..tokens.len()).filter(|&place| !stays(tokens[place])).collect();
    let mut chosen: Vec<usize> = candidates.iter().copied().filter(|_| random.random::<f32>() < share).collect();
    if chosen.is_empty() && !candidates.is_empty() {
        chosen.push(candidates[below(random, candidates.len())]);
    }
    let mut hidden = vec![false; tokens.len()];
    for place in chosen {
        hidden[place] = true;
        let fate: f64 = random.random();
        if fate < MASKED {
            tokens[place] = layout.mask.map_or(tokens[place], u32::cast_signed);
        } else if fate < MASKED_OR_REPLACED {
            tokens[place] = (below(random, layout.vocabulary as usize) as u32).cast_signed();
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::super::order::stream;
    use super::*;

    const LAYOUT: Layout =
        Layout { sequence: 8, vocabulary: 1000, padding: 0, first: Some(2), last: Some(3), mask: Some(4) };

    #[test]
    fn shares_are_those_of_bert() {
        let plain: Vec<i32> = (0..200_000).map(|at| 5 + at % 995).collect();
        let mut tokens = plain.clone();
        let hidden = hide(&mut tokens, &LAYOUT, USUAL_SHARE, &mut stream(1, 1, 1));
        let count = |wanted: &dyn Fn(usize) -> bool| (0..plain.len()).filter(|&at| wanted(at)).count() as f64;
        let all = count(&|at| hidden[at]);
        let masked = count(&|at| hidden[at] && tokens[at] == 4);
        let kept = count(&|at| hidden[at] && tokens[at] == plain[at]);
        let shares = [all / 200_000.0, masked / all, kept / all, (all - masked - kept) / all];
        for (share, expected) in shares.iter().zip([0.15, 0.8, 0.1, 0.1]) {
            assert!((share - expected).abs() < 0.01, "{shares:?}");
        }
        assert!(count(&|at| !hidden[at] && tokens[at] != plain[at]) < 0.5);
    }

    #[test]
    fn special_tokens_stay_and_one_token_is_always_hidden() {
        for record in 0..500 {
            let mut tokens = vec![2, 9, 10, 3, 0, 0];
            let hidden = hide(&mut tokens, &LAYOUT, 0.01, &mut stream(1, 1, record));
            assert!(hidden[1] || hidden[2]);
            assert_eq!((tokens[0], &tokens[3..], &hidden[3..]), (2, &[3, 0, 0][..], &[false; 3][..]));
        }
        assert_eq!(hide(&mut [2, 3, 0], &LAYOUT, 0.5, &mut stream(1, 1, 1)), [false; 3]);
    }
}
