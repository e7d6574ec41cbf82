//! What the drawing library leaves out: role, title and description, and colours that follow the reader's scheme.

use super::palette;
use crate::format::escape;

/// The drawing as a file of its own, on its own paper.
pub fn standalone(drawing: &str, name: &str, title: &str, finding: &str) -> String {
    described(drawing, name, title, finding)
}

/// The drawing inside a page: its colours are variables of the page's style sheet.
pub fn inline(drawing: &str, name: &str, title: &str, finding: &str) -> String {
    let themed = palette::NAMED.iter().fold(drawing.to_owned(), |svg, (color, variable)| {
        svg.replace(&format!("\"{}\"", palette::hexadecimal(*color)), &format!("\"var(--{variable})\""))
    });
    described(&themed, name, title, finding).replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1)
}

fn described(drawing: &str, name: &str, title: &str, finding: &str) -> String {
    let (tag, rest) = drawing.split_once('>').unwrap_or((drawing, ""));
    let (title, finding) = (escape(title), escape(finding));
    format!(
        "{tag} role=\"img\" aria-labelledby=\"plot-{name}-title plot-{name}-desc\">\n\
         <title id=\"plot-{name}-title\">{title}</title>\n<desc id=\"plot-{name}-desc\">{finding}</desc>{rest}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_gets_role_title_and_description() {
        let drawing =
            "<svg width=\"9\" xmlns=\"http://www.w3.org/2000/svg\">\n<text fill=\"#1B1F24\">\na\n</text>\n</svg>\n";
        let expected = "<svg width=\"9\" role=\"img\" aria-labelledby=\"plot-n-title plot-n-desc\">\n\
            <title id=\"plot-n-title\">A &lt;b&gt;</title>\n<desc id=\"plot-n-desc\">C &amp; d</desc>\n\
            <text fill=\"var(--ink)\">\na\n</text>\n</svg>\n";
        assert_eq!(inline(drawing, "n", "A <b>", "C & d"), expected);
        let file = standalone(drawing, "n", "A <b>", "C & d");
        assert!(file.contains("xmlns=") && file.contains("#1B1F24") && file.contains("role=\"img\""), "{file}");
    }
}
