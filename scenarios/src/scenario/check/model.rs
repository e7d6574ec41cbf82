//! Networks and what fits them.

use super::Check;
use crate::model::{Model, PRESETS, ShapeError, Transformer, TransformerKind};
use crate::yaml::Located;

/// Checks a network; whether it is one.
pub(super) fn check(check: &mut Check<'_>, model: &Model, at: &Located<'_>) -> bool {
    if !check.is_sound(at) {
        return false;
    }
    match model.parameters() {
        Err(error) => shape(check, model, &error, at),
        Ok(_) => return true,
    }
    false
}

/// Tells if a network is not one that answers requests token by token.
pub(super) fn expect_decoder(check: &mut Check<'_>, model: &Model, what: &str, at: &Located<'_>) {
    let is_decoder = transformer(model).is_some_and(|transformer| transformer.kind == TransformerKind::Decoder);
    if !is_decoder && model.parameters().is_ok() {
        let message = format!("{what} needs a decoder, and this network is none");
        check.wrong(
            at,
            message,
            "generates no tokens",
            "take a `transformer` of `kind: decoder`, or a preset such as `llama3-8b`",
        );
    }
}

/// The transformer that a network is.
pub(super) fn transformer(model: &Model) -> Option<Transformer> {
    match model.resolved() {
        Ok(Model::Transformer(transformer)) => Some(transformer),
        _ => None,
    }
}

/// Tokens of one record, for networks that read sequences.
pub(super) fn sequence(model: &Model) -> Option<u64> {
    match model.resolved() {
        Ok(Model::Transformer(transformer)) => Some(transformer.sequence.get() as u64),
        Ok(Model::Rnn(rnn)) => Some(rnn.sequence.get() as u64),
        _ => None,
    }
}

fn shape(check: &mut Check<'_>, model: &Model, error: &ShapeError, at: &Located<'_>) {
    let layers = at.key("cnn").key("layers");
    let (place, help) = match error {
        ShapeError::UnknownPreset { name } => {
            let presets = PRESETS.iter().map(|preset| preset.name);
            return check.expect_known("model preset", name, &at.key("preset"), presets);
        }
        ShapeError::NoClasses => (layers, "end with `linear: 10` for ten classes"),
        ShapeError::NeedsImage { index, .. } => (layers.item(*index), "put it before the first `linear` layer"),
        ShapeError::WindowTooLarge { index, .. } => (layers.item(*index), "make the window smaller, or pad the image"),
        ShapeError::TooLarge { index, .. } if matches!(model, Model::Cnn(_)) => {
            (layers.item(*index), "make it smaller")
        }
        ShapeError::TooLarge { .. } | ShapeError::PartTooLarge { .. } | ShapeError::NetworkTooLarge => {
            (at.clone(), "make it smaller")
        }
        ShapeError::Indivisible { .. } => (at.clone(), "take sizes that divide each other"),
        ShapeError::MoreThan { .. } => (at.clone(), "make the first smaller, or the second larger"),
        ShapeError::Empty { .. } => (at.clone(), "give at least one"),
        ShapeError::Width { .. } | ShapeError::Tied { .. } => (at.clone(), "make both equal"),
        ShapeError::ClassesOfDecoder => (at.clone(), "leave out `classes`, or take `kind: encoder`"),
        ShapeError::PlannedOnly { .. } => (at.clone(), "leave it out"),
        ShapeError::Anchors { .. } => (at.clone(), "give one number of anchors for each feature map"),
        ShapeError::NotAChain { .. } => (at.clone(), "take an `mlp` or a `cnn`"),
    };
    check.wrong(&place, error.to_string(), "does not fit", help);
}
