//! What was measured, as it is printed, and as it is written.
//!
//! | file | subject |
//! |---|---|
//! | `machine` | where it was measured, with what |
//! | `comparison` | contenders beside each other: the table, and the figures for what follows |
//! | `goals` | what things should cost |
//! | `ahead` | where a peer is better |
//! | `page` | `RESULTS.md` |

mod ahead;
mod comparison;
mod goals;
mod machine;
mod page;

pub(crate) use comparison::Comparison;
pub(crate) use page::write;

use std::mem;

use crate::plots::Plot;
use comparison::{Compared, Row};

/// What one section adds.
struct Chapter {
    title: &'static str,
    text: String,
    /// Why it did not run, or not to its end.
    failure: Option<String>,
}

impl Chapter {
    fn add(&mut self, paragraph: &str) {
        self.text.push_str(paragraph);
        self.text.push_str("\n\n");
    }
}

/// Everything that is known so far.
#[derive(Default)]
pub(crate) struct Report {
    chapters: Vec<Chapter>,
    compared: Vec<Compared>,
    figures: Vec<(String, &'static str, f64)>,
    plots: Vec<Plot>,
    /// What is to be said before the next table.
    intro: String,
    /// Versions that only a running server tells.
    servers: Vec<String>,
}

impl Report {
    /// Says where it is measured.
    pub(crate) fn open(&self) {
        println!("{}", machine::lines(&self.servers).join("\n"));
    }

    /// A section that is not wanted. It is named in what is written.
    pub(crate) fn left_out(&mut self, title: &'static str) {
        let failure = Some("left out by the command line".to_owned());
        self.chapters.push(Chapter { title, text: String::new(), failure });
    }

    /// What follows belongs to this section.
    pub(crate) fn begin(&mut self, title: &'static str) {
        self.chapters.push(Chapter { title, text: String::new(), failure: None });
        self.intro.clear();
    }

    /// What the figures that follow are. Not said where none follow.
    pub(crate) fn introduce(&mut self, text: &str) {
        text.clone_into(&mut self.intro);
    }

    /// The section that was begun last did not come to its end.
    pub(crate) fn failed(&mut self, why: String) {
        eprintln!("not run to its end: {why}");
        if let Some(chapter) = self.chapters.last_mut() {
            chapter.failure = Some(why);
        }
    }

    /// A paragraph, a heading or a table.
    pub(crate) fn say(&mut self, text: &str) {
        let Some(chapter) = self.chapters.last_mut() else { return };
        if chapter.text.is_empty() {
            println!("\n## {}\n", chapter.title);
        }
        let intro = mem::take(&mut self.intro);
        for paragraph in [&*intro, text].into_iter().filter(|text| !text.is_empty()) {
            println!("{paragraph}\n");
            chapter.add(paragraph);
        }
    }

    /// Contenders beside each other.
    pub(crate) fn compare(&mut self, comparison: &Comparison<'_>) {
        self.say(&comparison.table());
        self.compared.push(comparison.compared());
    }

    /// The same, where there is another table for it.
    pub(crate) fn note(&mut self, comparison: &Comparison<'_>) {
        self.compared.push(comparison.compared());
    }

    /// A figure that no table has as it is, for the goals.
    pub(crate) fn figure(&mut self, workload: &str, name: &'static str, value: f64) {
        self.figures.push((workload.to_owned(), name, value));
    }

    /// A plot, where it stands among the tables.
    pub(crate) fn plot(&mut self, plot: Plot) {
        if let Some(chapter) = self.chapters.last_mut() {
            chapter.add(&format!("![{}](plots/{}.svg)", plot.title, plot.file));
        }
        self.plots.push(plot);
    }

    /// The versions of servers.
    pub(crate) fn servers(&mut self, versions: Vec<String>) {
        self.servers = versions;
    }

    /// The goals, and where a peer is ahead.
    pub(crate) fn close(&self) {
        println!("\n## Goals\n\n{}\n", goals::table(self));
        println!("## {}\n\n{}", ahead::TITLE, ahead::table(self));
    }

    /// What this contender took.
    fn row(&self, workload: &str, name: &str) -> Option<&Row> {
        let compared = self.compared.iter().find(|compared| compared.workload == workload)?;
        compared.rows.iter().find(|row| row.name == name)
    }

    fn figure_of(&self, workload: &str, name: &str) -> Option<f64> {
        let found = self.figures.iter().find(|(of, figure, _)| of == workload && *figure == name);
        found.map(|(.., value)| *value)
    }
}
