//! From text to a tree.

use std::collections::HashSet;
use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle};

use super::{Content, Entry, Node};
use crate::diagnostics::Diagnostic;

/// Largest file that is read, in bytes.
pub const MAX_BYTES: u64 = 4 << 20;

/// Deepest nesting of values.
const MAX_DEPTH: usize = 64;

/// Parses one YAML document. Beside the tree stand the problems that leave a tree to go on with.
///
/// # Errors
/// It is no YAML, empty, nested too deep, or uses what scenarios may not: aliases, tags, several documents.
pub fn parse(text: &str) -> Result<(Node, Vec<Diagnostic>), Diagnostic> {
    let mut builder = Builder { text, open: Vec::new(), root: None, problems: Vec::new() };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| no_yaml(text, &error))?;
        builder.take(event, bytes(text, &span))?;
    }
    match builder.root {
        Some(root) if !root.is_nothing() => Ok((root, builder.problems)),
        _ => {
            Err(Diagnostic::new(0..0, "the document is empty", "nothing here")
                .help("start from a scenario of the library"))
        }
    }
}

fn no_yaml(text: &str, error: &ScanError) -> Diagnostic {
    let at = clamp(text, error.marker().byte_offset().unwrap_or(text.len()));
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let problem = Diagnostic::new(at..end, format!("this is no YAML: {}", error.info()), "here");
    problem.help("check the indentation, brackets and quotes before this place")
}

fn bytes(text: &str, span: &Span) -> Range<usize> {
    let range = span.byte_range().unwrap_or(0..0);
    let (start, end) = (clamp(text, range.start), clamp(text, range.end));
    // Block texts reach over the line break at their end.
    let end = start + text[start..end.max(start)].trim_end().len();
    start..end
}

/// The nearest place at or before `at` where a character starts.
fn clamp(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

/// A tree that grows with the events.
struct Builder<'a> {
    text: &'a str,
    open: Vec<Open>,
    root: Option<Node>,
    problems: Vec<Diagnostic>,
}

/// A collection whose end has not come.
struct Open {
    node: Node,
    flow: bool,
    /// Key whose value comes next.
    key: Option<(String, Range<usize>)>,
    /// Keys that came.
    keys: HashSet<String>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), Diagnostic> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(Diagnostic::new(span, "the file holds more than one document", "a second one starts here"))
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, _, Some(_))
            | Event::MappingStart(_, _, Some(_)) => {
                Err(Diagnostic::new(span, "tags are not supported", "has a tag").help("remove the `!…` before it"))
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                Err(Diagnostic::new(span, "aliases are not supported", "an alias")
                    .help("write the value out where it is used"))
            }
            Event::Scalar(text, style, _, None) => {
                let plain = style == ScalarStyle::Plain;
                // The parser writes `~` for an empty place.
                let text = if plain && span.is_empty() { String::new() } else { text.into_owned() };
                self.add(Node { content: Content::Scalar { text, plain }, extent: span.clone(), span })
            }
            Event::SequenceStart(style, _, None) => self.open(Content::Sequence(Vec::new()), style, span),
            Event::MappingStart(style, _, None) => self.open(Content::Mapping(Vec::new()), style, span),
            Event::SequenceEnd | Event::MappingEnd => self.close(&span),
            _ => Ok(()),
        }
    }

    fn open(&mut self, content: Content, style: StructureStyle, span: Range<usize>) -> Result<(), Diagnostic> {
        let flow = style == StructureStyle::Flow;
        let span = if span.is_empty() { self.first_character(span.start) } else { span };
        if self.open.len() >= MAX_DEPTH {
            let message = format!("values are nested more than {MAX_DEPTH} deep");
            return Err(Diagnostic::new(span, message, "one level too deep"));
        }
        let node = Node { content, extent: span.clone(), span };
        self.open.push(Open { node, flow, key: None, keys: HashSet::new() });
        Ok(())
    }

    /// The dash of an indented list, which the parser gives no width.
    fn first_character(&self, at: usize) -> Range<usize> {
        at..self.text[at..].chars().next().map_or(at, |c| at + c.len_utf8())
    }

    fn close(&mut self, span: &Range<usize>) -> Result<(), Diagnostic> {
        let Some(Open { mut node, flow, .. }) = self.open.pop() else { return Ok(()) };
        if flow {
            node.span.end = span.end;
            node.extent.end = span.end;
        }
        self.add(node)
    }

    fn add(&mut self, node: Node) -> Result<(), Diagnostic> {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        parent.node.extent.end = parent.node.extent.end.max(node.extent.end);
        match &mut parent.node.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping(entries) => match parent.key.take() {
                None => parent.key = Some(key(node, &mut parent.node.span, entries.is_empty() && !parent.flow)?),
                Some((key, span)) if parent.keys.insert(key.clone()) => entries.push(Entry { key, span, value: node }),
                Some((key, span)) => {
                    let problem = Diagnostic::new(span, format!("the key `{key}` is there twice"), "the second one");
                    self.problems.push(problem.help("remove or rename one of them"));
                }
            },
            Content::Scalar { .. } => {}
        }
        Ok(())
    }
}

/// Takes a node as a key. The first one of an indented mapping is what stands for the mapping.
fn key(node: Node, mapping: &mut Range<usize>, is_first: bool) -> Result<(String, Range<usize>), Diagnostic> {
    let Content::Scalar { text, .. } = node.content else {
        return Err(Diagnostic::new(node.span, "a key is a single value", "this is a collection"));
    };
    if is_first {
        *mapping = node.span.clone();
    }
    Ok((text, node.span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_place() {
        let text = "a: 1\nb:\n  c: {d: [x, 'y']}\n  é:\n    - z\n";
        let (root, problems) = parse(text).expect("it is YAML");
        assert_eq!(problems, []);
        let check = |node: &Node, span: &str, extent: &str| {
            assert_eq!((&text[node.span.clone()], &text[node.extent.clone()]), (span, extent));
        };
        let value = |node: &Node, key: &str| node.entry(key).map(|entry| entry.value.clone()).expect("it has the key");
        let (b, c) = (value(&root, "b"), value(&value(&root, "b"), "c"));
        check(&root, "a", text.trim_end());
        check(&b, "c", "c: {d: [x, 'y']}\n  é:\n    - z");
        check(&c, "{d: [x, 'y']}", "{d: [x, 'y']}");
        check(value(&c, "d").item(1).expect("two items"), "'y'", "'y'");
        check(&value(&b, "é"), "-", "- z");
    }

    #[test]
    fn what_is_no_scenario_is_refused() {
        let check = |text: &str, message: &str, span: &str| {
            let problem = parse(text).expect_err(text);
            assert!(problem.message.starts_with(message), "{text}: {}", problem.message);
            assert_eq!(&text[problem.span], span, "{text}");
        };
        check("", "the document is empty", "");
        check("# only a comment\n", "the document is empty", "");
        check("a: [1, 2\nb: 3", "this is no YAML", ":");
        check("a: \"x", "this is no YAML", "\"");
        check("a: &x 1\nb: *x\n", "aliases are not supported", "*x");
        check("a: !!str 1\n", "tags are not supported", "1");
        check("a: 1\n---\nb: 1\n", "the file holds more than one document", "---");
        check("[a]: 1\n", "a key is a single value", "[a]");
        check(&("[".repeat(100) + &"]".repeat(100)), "values are nested more than 64 deep", "[");
        let nested: Vec<String> = (0..80).map(|depth| " ".repeat(depth) + "a:\n").collect();
        check(&nested.concat(), "values are nested more than 64 deep", "a");
    }

    #[test]
    fn a_key_that_is_there_twice_is_told_and_the_first_one_kept() {
        let (root, problems) = parse("a: 1\nb: 2\na: 3\n").expect("it is YAML");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].span, 10..11);
        assert_eq!(root.entry("a").map(|entry| entry.value.span.clone()), Some(3..4));
    }
}
