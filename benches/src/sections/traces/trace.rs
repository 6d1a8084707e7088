//! Traces: a folder of gzip files with a key a line, and a table of the capacities that they are meant for.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::options::Options;

const ENDING: &str = ".txt.gz";

/// `name capacity`, a line each.
const CAPACITIES: &str = "capacities.txt";

pub(super) struct Trace {
    pub(super) name: String,
    /// Numbered in the order of their first access.
    pub(super) keys: Vec<u32>,
    pub(super) distinct: usize,
    pub(super) capacity: usize,
}

/// All traces of the folder, by name. An error if one cannot be read, or has no capacity.
pub(super) fn all(options: &Options) -> Result<Vec<Trace>, String> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let folder = options.traces.as_deref().unwrap_or(&usual);
    let failed = |what: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", what.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, &error))? {
        files.push(entry.map_err(|error| failed(folder, &error))?.path());
    }
    files.sort();
    let table = fs::read_to_string(folder.join(CAPACITIES)).unwrap_or_default();
    let mut traces = Vec::new();
    for file in files {
        let named = file.file_name().and_then(|name| name.to_str()?.strip_suffix(ENDING));
        let Some(name) = named else { continue };
        let capacity = stated(&table, name).or(options.capacity);
        let capacity = capacity
            .ok_or_else(|| format!("`{CAPACITIES}` has no capacity for `{name}`: give one by --capacity"))?;
        let (keys, distinct) = read(&file).map_err(|error| failed(&file, &error))?;
        traces.push(Trace { name: name.to_owned(), keys, distinct, capacity });
    }
    if traces.is_empty() {
        return Err(format!("{}: no files of the name *{ENDING}", folder.display()));
    }
    Ok(traces)
}

fn stated(table: &str, name: &str) -> Option<usize> {
    let mut lines = table.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(of, _)| *of == name)?.1.trim().parse().ok().filter(|capacity| *capacity > 0)
}

/// The accesses, and how many distinct keys there are. What a key looks like does not matter.
fn read(file: &Path) -> Result<(Vec<u32>, usize), Box<dyn std::error::Error>> {
    let lines = BufReader::new(MultiGzDecoder::new(BufReader::new(File::open(file)?))).lines();
    let (mut keys, mut numbers) = (Vec::new(), HashMap::new());
    for line in lines {
        let line = line?;
        if !line.is_empty() {
            let next = u32::try_from(numbers.len())?;
            keys.push(*numbers.entry(line).or_insert(next));
        }
    }
    if keys.is_empty() { Err("no key".into()) } else { Ok((keys, numbers.len())) }
}
