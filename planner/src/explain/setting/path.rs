//! Paths over the keys of a document.

use scenarios::diagnostics::did_you_mean;
use scenarios::yaml::{Content, Node};

use super::{Operator, Setting, SettingError};
use crate::planning::is_like;

/// The keys of a path with dots; a key in double quotes may hold dots itself. `None` for an empty key.
pub(super) fn split(text: &str) -> Option<Vec<String>> {
    let mut keys = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => keys.push(String::new()),
            c => keys.last_mut()?.push(c),
        }
    }
    (!quoted && keys.iter().all(|key| !key.is_empty())).then_some(keys)
}

/// Every place of a document that a path leads to. The last key of a path that sets a value may be new.
///
/// # Errors
/// A key that is not there.
pub(super) fn find(root: &Node, setting: &Setting, keys: &[String]) -> Result<Vec<Vec<String>>, SettingError> {
    let mut places: Vec<(Vec<String>, &Node)> = vec![(vec![], root)];
    let mut found = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        let is_last = index + 1 == keys.len();
        let mut next = Vec::new();
        let mut unknown = None;
        for (path, node) in &places {
            let matches = matching(node, key);
            if matches.is_empty() {
                let may_be_new = is_last && setting.operator == Operator::Set && !key.contains('*');
                if may_be_new && matches!(node.content, Content::Mapping(_)) {
                    found.push(joined(path, key));
                } else {
                    unknown = unknown.or_else(|| Some(unknown_key(setting, path, node, key)));
                }
            }
            next.extend(matches.into_iter().map(|(name, value)| (joined(path, &name), value)));
        }
        if let (true, true, Some(error)) = (next.is_empty(), found.is_empty(), unknown) {
            return Err(error);
        }
        places = next;
    }
    found.extend(places.into_iter().map(|(path, _)| path));
    Ok(found)
}

fn joined(path: &[String], key: &str) -> Vec<String> {
    path.iter().cloned().chain([key.to_owned()]).collect()
}

/// Entries of a mapping, or items of a list by position, that a key means.
fn matching<'a>(node: &'a Node, key: &str) -> Vec<(String, &'a Node)> {
    let means = |name: &str| if key.contains('*') { is_like(key, name) } else { key == name };
    match &node.content {
        Content::Mapping(entries) => {
            let entries = entries.iter().filter(|entry| means(&entry.key));
            entries.map(|entry| (entry.key.clone(), &entry.value)).collect()
        }
        Content::Sequence(items) => {
            let items = items.iter().enumerate().map(|(index, item)| (index.to_string(), item));
            items.filter(|(index, _)| means(index)).collect()
        }
        Content::Scalar { .. } => Vec::new(),
    }
}

fn unknown_key(setting: &Setting, path: &[String], node: &Node, key: &str) -> SettingError {
    let at = if path.is_empty() { "the scenario".to_owned() } else { format!("`{}`", path.join(".")) };
    let help = match &node.content {
        Content::Mapping(entries) if !entries.is_empty() => {
            let shorthands = ["price", "demand", "link"].into_iter().filter(|_| path.is_empty());
            did_you_mean(key, entries.iter().map(|entry| entry.key.as_str()).chain(shorthands))
        }
        Content::Sequence(items) if !items.is_empty() => {
            format!("it is a list: name a position from 0 to {}, or `*`", items.len() - 1)
        }
        Content::Mapping(_) | Content::Sequence(_) => "it is empty".to_owned(),
        Content::Scalar { text, .. } => format!("it is the value `{text}`"),
    };
    SettingError::Unknown { text: setting.text.clone(), problem: format!("{at} has no `{key}`"), help }
}

/// The value at a place, where there is one.
pub(super) fn value<'a>(root: &'a mut Node, place: &[String]) -> Option<&'a mut Node> {
    let mut node = root;
    for key in place {
        node = match &mut node.content {
            Content::Mapping(entries) => &mut entries.iter_mut().find(|entry| entry.key == *key)?.value,
            Content::Sequence(items) => items.get_mut(key.parse::<usize>().ok()?)?,
            Content::Scalar { .. } => return None,
        };
    }
    Some(node)
}
