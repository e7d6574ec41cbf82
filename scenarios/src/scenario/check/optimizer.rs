//! Constants of optimisers, and how training records are prepared.

use super::Check;
use crate::diagnostics::Diagnostic;
use crate::scenario::{Augmentation, Optimizer, Preprocessing, Rate, Training};
use crate::yaml::Located;

pub(super) fn check(check: &mut Check<'_>, optimizer: &Optimizer, at: &Located<'_>) {
    let name = match optimizer {
        Optimizer::Sgd(_) => "sgd",
        Optimizer::Momentum(_) => "momentum",
        Optimizer::Adam(_) => "adam",
    };
    let at = at.key(name);
    if optimizer.learning_rate() <= 0.0 {
        let message = "the learning rate is not above 0";
        check.wrong(&at.key("learning_rate"), message, "learns nothing", "write for example `learning_rate: 0.01`");
    }
    let shares = match optimizer {
        Optimizer::Sgd(_) => vec![],
        Optimizer::Momentum(momentum) => vec![("momentum", momentum.momentum)],
        Optimizer::Adam(adam) => vec![("beta_1", adam.beta_1), ("beta_2", adam.beta_2)],
    };
    for (key, _) in shares.into_iter().filter(|(_, share)| !(0.0..1.0).contains(share)) {
        check.wrong(
            &at.key(key),
            format!("`{key}` is from 0 to below 1"),
            "outside",
            format!("write for example `{key}: 0.9`"),
        );
    }
    if let Optimizer::Adam(adam) = optimizer {
        if adam.epsilon <= 0.0 {
            check.wrong(&at.key("epsilon"), "`epsilon` is not above 0", "divides by zero", "write `epsilon: 1.0e-8`");
        }
        if adam.weight_decay < 0.0 {
            let help = "write for example `weight_decay: 0.01`";
            check.wrong(&at.key("weight_decay"), "the weight decay is below 0", "makes parameters grow", help);
        }
    }
}

/// The course of the learning rate, the limit of the gradient, and what is made of a mean.
pub(super) fn course(check: &mut Check<'_>, training: &Training, at: &Located<'_>) {
    let rate = at.key("rate");
    match training.rate {
        Rate::Step(step) if step.factor <= 0.0 => {
            let (at, help) = (rate.key("step").key("factor"), "write for example `factor: 0.1`");
            check.wrong(&at, "the factor is not above 0", "ends all learning", help);
        }
        Rate::Cosine(cosine) if !(0.0..=1.0).contains(&cosine.floor) => {
            let (at, help) = (rate.key("cosine").key("floor"), "write for example `floor: 0.1`");
            check.wrong(&at, "`floor` is a share from 0 to 1", "outside", help);
        }
        _ => {}
    }
    if training.clip_norm.is_some_and(|norm| norm <= 0.0) {
        let help = "write for example `clip_norm: 1.0`";
        check.wrong(&at.key("clip_norm"), "the largest length is not above 0", "leaves no gradient", help);
    }
    if let Some(outer) = training.outer {
        let at = at.key("outer");
        if outer.learning_rate <= 0.0 {
            let help = "write for example `learning_rate: 0.7`";
            check.wrong(&at.key("learning_rate"), "the learning rate is not above 0", "learns nothing", help);
        }
        if !(0.0..1.0).contains(&outer.momentum) {
            let help = "write for example `momentum: 0.9`";
            check.wrong(&at.key("momentum"), "`momentum` is from 0 to below 1", "outside", help);
        }
    }
}

pub(super) fn preprocessing(check: &mut Check<'_>, preprocessing: &Preprocessing, at: &Located<'_>) {
    if let Some([_, deviation]) = preprocessing.normalize
        && deviation <= 0.0
    {
        let help = "write `normalize: [mean, deviation]`, for example `[0.5, 0.5]`";
        check.wrong(&at.key("normalize").item(1), "the deviation is not above 0", "divides by it", help);
    }
    augmentation(check, &preprocessing.augmentation, &at.key("augmentation"));
    let split = at.key("split");
    let shares = [("validation", preprocessing.split.validation), ("test", preprocessing.split.test)];
    let sound = shares.iter().all(|(_, share)| (0.0..1.0).contains(share));
    for (key, _) in shares.iter().filter(|(_, share)| !(0.0..1.0).contains(share)) {
        check.wrong(&split.key(key), format!("`{key}` is a share from 0 to below 1"), "outside", "write 0.1 for 10 %");
    }
    if sound && shares.iter().map(|(_, share)| share).sum::<f64>() >= 1.0 {
        let message = "validation and test leave nothing to train on";
        check.tell(
            Diagnostic::new(split.key_span(), message, "they add up to 1 or more").help("make one of them smaller"),
        );
    }
}

fn augmentation(check: &mut Check<'_>, augmentation: &Augmentation, at: &Located<'_>) {
    if augmentation.noise < 0.0 {
        let help = "write for example `noise: 0.05`, or remove it";
        check.wrong(&at.key("noise"), "the deviation of the noise is below 0", "no deviation", help);
    }
    if augmentation.mask.is_some_and(|share| !(share > 0.0 && share < 1.0)) {
        check.wrong(&at.key("mask"), "`mask` is a share between 0 and 1", "outside", "write `mask: 0.15`");
    }
    if augmentation.shift > 0 && augmentation.crop > 0 {
        let problem =
            Diagnostic::new(at.key("crop").key_span(), "`shift` and `crop` both move the image", "beside `shift`");
        check.tell(problem.help("keep one of them"));
    }
}
