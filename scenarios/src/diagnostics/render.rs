//! Problems with the lines of the source that they are about.

use std::fmt::Write as _;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, NarratableReportHandler,
};

use super::Diagnostic;

/// Most problems that are shown.
const MOST_SHOWN: usize = 50;

/// Lines are wrapped at this many columns.
const WIDTH: usize = 100;

/// Renders problems of the source `name` with the lines they are about.
///
/// With colours, which the printer removes where they are not wanted. `NO_GRAPHICS` in the environment asks for plain
/// sentences, as screen readers need them. Of very many problems the first 50 are shown.
#[must_use]
pub fn render(name: &str, text: &str, problems: &[Diagnostic]) -> String {
    let narrated = std::env::var_os("NO_GRAPHICS").is_some();
    let mut shown: String =
        problems.iter().take(MOST_SHOWN).map(|problem| one(name, text, problem, narrated) + "\n").collect();
    if problems.len() > MOST_SHOWN {
        let _ = writeln!(shown, "… and {} more problems", problems.len() - MOST_SHOWN);
    }
    shown
}

/// Most bytes of the lines around a problem; of longer ones nothing could be seen.
const LONGEST_SHOWN: usize = 3000;

fn one(name: &str, text: &str, problem: &Diagnostic, narrated: bool) -> String {
    let (start, end) = (problem.span.start, problem.span.end);
    if text.is_empty() || text.get(start..end).is_none() {
        return unseen(name, problem);
    }
    let before = text.as_bytes()[..start].iter().rev().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1);
    let after = text.as_bytes()[end..].iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1);
    let around = before.map_or(start, |(bytes, _)| bytes) + after.map_or(text.len() - end, |(bytes, _)| bytes);
    if around + (end - start) > LONGEST_SHOWN {
        return unseen(name, problem);
    }
    let label = LabeledSpan::new_primary_with_span(Some(harmless(&problem.label)), problem.span.clone());
    let mut diagnostic = MietteDiagnostic::new(harmless(&problem.message)).with_label(label);
    diagnostic.help = problem.help.as_deref().map(harmless);
    let report = miette::Report::new(diagnostic).with_source_code(NamedSource::new(name, harmless(text)));
    let mut out = String::new();
    let rendered = if narrated {
        NarratableReportHandler::new().render_report(&mut out, report.as_ref())
    } else {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode());
        handler.with_width(WIDTH).with_context_lines(1).render_report(&mut out, report.as_ref())
    };
    rendered.map_or_else(|_| unseen(name, problem), |()| out)
}

/// The text without what a terminal would obey; of the same length, so that spans still fit.
fn harmless(text: &str) -> String {
    text.replace(|c: char| c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t'), "?")
}

/// A problem whose place cannot be drawn.
fn unseen(name: &str, problem: &Diagnostic) -> String {
    let help = problem.help.as_deref().map(|help| format!("\n  help: {}", harmless(help))).unwrap_or_default();
    let place = if problem.span.end == 0 { String::new() } else { format!(", byte {}", problem.span.start) };
    format!("  × {} ({name}{place}){help}\n", harmless(&problem.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, span: std::ops::Range<usize>, expected: &str) {
        let problem = Diagnostic::new(span, "it is wrong", "here").help("mend it");
        let shown = anstream::adapter::strip_str(&render("a.yaml", text, &[problem])).to_string();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_problem_is_shown_with_its_line() {
        let shown = "  × it is wrong\n   ╭─[a.yaml:2:1]\n 1 │ one\n 2 │ two\n   · ─┬─\n   ·  ╰── here\n 3 │ three\n   \
                     ╰────\n  help: mend it\n\n";
        check("one\ntwo\nthree\n", 4..7, shown);
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        check(&"x".repeat(5000), 7..9, "  × it is wrong (a.yaml, byte 7)\n  help: mend it\n\n");
        check("", 0..0, "  × it is wrong (a.yaml)\n  help: mend it\n\n");
        check("short", 900..901, "  × it is wrong (a.yaml, byte 900)\n  help: mend it\n\n");
    }

    #[test]
    fn a_terminal_is_not_commanded() {
        let problem = Diagnostic::new(0..3, "unknown site `\u{1b}[2J`", "here");
        let shown = render("a.yaml", "a\u{1b}[2J: b\n", &[problem]);
        assert!(shown.contains("unknown site `?[2J`") && shown.contains("a?[2J: b"), "{shown}");
    }

    #[test]
    fn of_very_many_problems_the_first_are_shown() {
        let problems = vec![Diagnostic::new(0..1, "it is wrong", "here"); 60];
        let shown = render("a.yaml", "one\n", &problems);
        assert_eq!(shown.matches("it is wrong").count(), 50);
        assert!(shown.ends_with("… and 10 more problems\n"));
    }
}
