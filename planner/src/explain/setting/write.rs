//! A document as text, in brackets, so that its problems can be shown by line.

use scenarios::yaml::{Content, Node};

/// The text of a document.
pub(super) fn document(root: &Node) -> String {
    let mut text = String::new();
    node(root, 0, &mut text);
    text.push('\n');
    text
}

fn node(node: &Node, depth: usize, text: &mut String) {
    match &node.content {
        Content::Scalar { text: value, plain } => text.push_str(&scalar(value, *plain)),
        Content::Sequence(items) => {
            let items: Vec<_> = items.iter().map(|item| (None, item)).collect();
            collection(('[', ']'), &items, depth, text);
        }
        Content::Mapping(entries) => {
            let entries: Vec<_> = entries.iter().map(|entry| (Some(entry.key.as_str()), &entry.value)).collect();
            collection(('{', '}'), &entries, depth, text);
        }
    }
}

fn collection(brackets: (char, char), items: &[(Option<&str>, &Node)], depth: usize, text: &mut String) {
    text.push(brackets.0);
    for (index, (key, value)) in items.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        if let Some(key) = key {
            text.push_str(&quoted(key));
            text.push_str(": ");
        }
        node(value, depth + 1, text);
    }
    if !items.is_empty() {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    }
    text.push(brackets.1);
}

/// A scalar; what could be read as something else between brackets is quoted.
fn scalar(value: &str, plain: bool) -> String {
    let is_harmless = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-' | '+' | '/' | '%' | '*');
    let starts_well = value.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '+' | '.'));
    let is_plain = plain && starts_well && value.trim() == value && value.chars().all(is_harmless);
    if is_plain { value.to_owned() } else { quoted(value) }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
