//! `RESULTS.md` and its plots.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use super::{Report, ahead, goals, machine};

const HEAD: &str = "\
# Results

Written by the command below; not edited. How to read the tables, and who is compared: [README.md](README.md).";

/// Writes the page, and the plots that it shows; plots that it does not show any more go.
pub(crate) fn write(report: &Report) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plots = folder.join("plots");
    fs::create_dir_all(&plots)?;
    for entry in fs::read_dir(&plots)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "svg") {
            fs::remove_file(path)?;
        }
    }
    for plot in &report.plots {
        fs::write(plots.join(plot.file.as_str()).with_extension("svg"), &plot.svg)?;
    }
    fs::write(folder.join("RESULTS.md"), page(report))
}

/// Goals and what is not better come before the tables.
fn page(report: &Report) -> String {
    let mut page = format!("{HEAD}\n\n");
    for line in machine::lines(&report.servers) {
        let _ = writeln!(page, "- {line}");
    }
    let _ = write!(page, "\n## Goals\n\n{}\n\n", goals::table(report));
    let _ = write!(page, "## {}\n\n{}\n\n", ahead::TITLE, ahead::table(report));
    for chapter in &report.chapters {
        let _ = write!(page, "## {}\n\n", chapter.title);
        if let Some(why) = &chapter.failure {
            let _ = write!(page, "**Not run**, or not to its end: {why}\n\n");
        }
        if chapter.failure.is_none() && chapter.text.is_empty() {
            page.push_str("**Not run**: the command line wants nothing of it.\n\n");
        }
        page.push_str(&chapter.text);
    }
    format!("{}\n", page.trim_end())
}
