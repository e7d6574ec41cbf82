//! Names and sentences that others wrote, made safe for where they are shown.

use std::fmt::Write as _;

/// Text without control characters, which SVG forbids and terminals obey.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c }).collect()
}

/// Text for HTML and SVG, in elements and in quoted attributes.
#[must_use]
pub fn escape(text: &str) -> String {
    clean(text).chars().fold(String::new(), |mut out, c| {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
        out
    })
}

/// HTML of a sentence in which backticks enclose names.
#[must_use]
pub fn prose(text: &str) -> String {
    let escaped = escape(text);
    let parts: Vec<_> = escaped.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped;
    }
    parts.iter().enumerate().fold(String::new(), |mut out, (at, part)| {
        let _ = if at % 2 == 1 { write!(out, "<code>{part}</code>") } else { write!(out, "{part}") };
        out
    })
}

/// `a, b and c`
#[must_use]
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A word of a POSIX shell's command line.
#[must_use]
pub fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Part of a file name: lower-case letters, digits and hyphens; empty if nothing is left.
#[must_use]
pub fn slug(text: &str) -> String {
    let spaced: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let words: Vec<_> = spaced.split_whitespace().collect();
    words.join("-").chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_marks_names_and_escapes_everything() {
        let check = |text: &str, expected: &str| assert_eq!(prose(text), expected);
        check("rule `raw` denies", "rule <code>raw</code> denies");
        check("a lone ` tick", "a lone ` tick");
        check("`<script>` & \"it's\"", "<code>&lt;script&gt;</code> &amp; &quot;it&#39;s&quot;");
        check("bell\u{7}", "bell\u{fffd}");
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        let check = |word: &str, expected: &str| assert_eq!(shell(word), expected);
        check("run/1", "run/1");
        check("my run", "'my run'");
        check("it's; rm -rf", r"'it'\''s; rm -rf'");
        check("", "''");
    }

    #[test]
    fn slugs_are_file_names() {
        let check = |text: &str, expected: &str| assert_eq!(slug(text), expected);
        check("Train the CNN", "train-the-cnn");
        check("../../etc/passwd", "etc-passwd");
        check("<b>", "b");
        check("数字", "");
    }
}
