//! A run: the sections that are wanted, and then the report.

use crate::options::Options;
use crate::report::{self, Report};
use crate::sections;

/// An error if a section failed, once all others have run and the report is written.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut report = Report::default();
    report.open();
    let failed = sections::run(options, &mut report);
    report.close();
    if options.is_whole() || options.is_written {
        report::write(&report).map_err(|error| format!("the report was not written: {error}"))?;
        println!("\nWritten to benches/RESULTS.md.");
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("these did not run to their end: {}", failed.join(", ")))
    }
}
